// One tile of the Mandelbrot set, in AssemblyScript, for Starling's reactor ABI.
//
// Input, 56 bytes, little endian:
//   f64 centreX, f64 centreY   the point in the middle of the whole image
//   f64 pixelSize              width of one pixel in the plane
//   u32 imageWidth, u32 imageHeight
//   u32 x, u32 y, u32 width, u32 height   this tile, in pixels of the image
//   u32 iterationsMax
//   u32 samples                each pixel is the mean of samples × samples points
// Output: width × height pixels, 4 bytes each: red, green, blue, 255.

const INPUT_BYTES: i32 = 56
/** Far beyond the radius 2 at which a point is known to escape, so that the smooth count has no steps. */
const ESCAPE_SQUARED: f64 = 65536.0
const PIXELS_MAX: u32 = 4 * 1024 * 1024

/** Gradient, as (position in 1/256, red, green, blue); it repeats after 256. */
const STOPS = memory.data<u16>([0, 0, 7, 100, 41, 32, 107, 203, 108, 237, 255, 255, 164, 255, 170, 0, 219, 0, 2, 0, 256, 0, 7, 100])

export function starling_alloc(length: i32): usize {
  return heap.alloc(<usize>max(length, 1))
}

export function starling_run(pointer: usize, length: i32): u64 {
  if (length != INPUT_BYTES) unreachable()
  const centreX = load<f64>(pointer, 0)
  const centreY = load<f64>(pointer, 8)
  const pixelSize = load<f64>(pointer, 16)
  const imageWidth = load<u32>(pointer, 24)
  const imageHeight = load<u32>(pointer, 28)
  const x0 = load<u32>(pointer, 32)
  const y0 = load<u32>(pointer, 36)
  const width = load<u32>(pointer, 40)
  const height = load<u32>(pointer, 44)
  const iterationsMax = load<u32>(pointer, 48)
  const samples = load<u32>(pointer, 52)
  if (width == 0 || height == 0 || width > PIXELS_MAX / height || samples == 0 || samples > 16) unreachable()

  const bytes = width * height * 4
  const image = heap.alloc(bytes)
  const left = centreX - pixelSize * (<f64>imageWidth) * 0.5
  const top = centreY + pixelSize * (<f64>imageHeight) * 0.5
  const step = pixelSize / <f64>samples
  const share = 1.0 / <f64>(samples * samples)
  for (let row: u32 = 0; row < height; row++) {
    for (let column: u32 = 0; column < width; column++) {
      let red = 0.0
      let green = 0.0
      let blue = 0.0
      for (let sampleY: u32 = 0; sampleY < samples; sampleY++) {
        const imaginary = top - pixelSize * <f64>(y0 + row) - step * (<f64>sampleY + 0.5)
        for (let sampleX: u32 = 0; sampleX < samples; sampleX++) {
          const real = left + pixelSize * <f64>(x0 + column) + step * (<f64>sampleX + 0.5)
          const count = escapeCount(real, imaginary, iterationsMax)
          if (count < 0) continue
          const position = shade(count)
          const at = stopAt(position)
          const mix = (position - channel(at, 0)) / (channel(at + 1, 0) - channel(at, 0))
          red += channel(at, 1) + mix * (channel(at + 1, 1) - channel(at, 1))
          green += channel(at, 2) + mix * (channel(at + 1, 2) - channel(at, 2))
          blue += channel(at, 3) + mix * (channel(at + 1, 3) - channel(at, 3))
        }
      }
      const pixel = image + (<usize>(row * width + column) << 2)
      store<u8>(pixel, <u8>(red * share + 0.5), 0)
      store<u8>(pixel, <u8>(green * share + 0.5), 1)
      store<u8>(pixel, <u8>(blue * share + 0.5), 2)
      store<u8>(pixel, 255, 3)
    }
  }
  return ((<u64>image) << 32) | <u64>bytes
}

/** The smooth number of iterations until the point escapes, or -1 if it does not. */
function escapeCount(real: f64, imaginary: f64, iterationsMax: u32): f64 {
  const squared = imaginary * imaginary
  const quarter = real - 0.25
  const distance = quarter * quarter + squared
  // The main cardioid and the disc left of it never escape, and are most of the set.
  if (distance * (distance + quarter) <= 0.25 * squared) return -1.0
  if ((real + 1.0) * (real + 1.0) + squared <= 0.0625) return -1.0
  let x = 0.0
  let y = 0.0
  let xx = 0.0
  let yy = 0.0
  for (let i: u32 = 0; i < iterationsMax; i++) {
    y = 2.0 * x * y + imaginary
    x = xx - yy + real
    xx = x * x
    yy = y * y
    if (xx + yy > ESCAPE_SQUARED) return <f64>i + 1.0 - Math.log2(Math.log2(xx + yy) * 0.5)
  }
  return -1.0
}

/** Where on the gradient a count lies: the logarithm keeps the colours apart near the set and calm far from it. */
function shade(count: f64): f64 {
  const turns = Math.log2(max(count, 0.0) + 1.0) * 48.0
  return turns - 256.0 * Math.floor(turns / 256.0)
}

function stopAt(position: f64): i32 {
  let at = 0
  while (at < 4 && channel(at + 1, 0) <= position) at++
  return at
}

@inline
function channel(stop: i32, index: i32): f64 {
  return <f64>load<u16>(STOPS + (<usize>(stop * 4 + index) << 1))
}
