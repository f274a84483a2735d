/** The first layer of the table's MLP on one picture's lit pixels, 32 hidden values in eight SIMD registers. */

/** Pixel numbers (16 bits) and brightness (32-bit floats) from `first` to `end`; `columns` has 32 weights for each pixel. */
export function forward(pixels: usize, values: usize, first: i32, end: i32, columns: usize, hidden: usize): void {
  let h0 = v128.load(hidden)
  let h1 = v128.load(hidden, 16)
  let h2 = v128.load(hidden, 32)
  let h3 = v128.load(hidden, 48)
  let h4 = v128.load(hidden, 64)
  let h5 = v128.load(hidden, 80)
  let h6 = v128.load(hidden, 96)
  let h7 = v128.load(hidden, 112)
  for (let i = first; i < end; i++) {
    const at = columns + (<usize>load<u16>(pixels + ((<usize>i) << 1))) * 128
    const value = v128.load32_splat(values + ((<usize>i) << 2))
    h0 = f32x4.add(h0, f32x4.mul(value, v128.load(at)))
    h1 = f32x4.add(h1, f32x4.mul(value, v128.load(at, 16)))
    h2 = f32x4.add(h2, f32x4.mul(value, v128.load(at, 32)))
    h3 = f32x4.add(h3, f32x4.mul(value, v128.load(at, 48)))
    h4 = f32x4.add(h4, f32x4.mul(value, v128.load(at, 64)))
    h5 = f32x4.add(h5, f32x4.mul(value, v128.load(at, 80)))
    h6 = f32x4.add(h6, f32x4.mul(value, v128.load(at, 96)))
    h7 = f32x4.add(h7, f32x4.mul(value, v128.load(at, 112)))
  }
  v128.store(hidden, h0)
  v128.store(hidden, h1, 16)
  v128.store(hidden, h2, 32)
  v128.store(hidden, h3, 48)
  v128.store(hidden, h4, 64)
  v128.store(hidden, h5, 80)
  v128.store(hidden, h6, 96)
  v128.store(hidden, h7, 112)
}

/** Adds brightness times the hidden values' gradient to each lit pixel's 32 gradients. */
export function backward(pixels: usize, values: usize, first: i32, end: i32, columns: usize, delta: usize): void {
  for (let part: usize = 0; part < 128; part += 64) {
    const d0 = v128.load(delta + part)
    const d1 = v128.load(delta + part, 16)
    const d2 = v128.load(delta + part, 32)
    const d3 = v128.load(delta + part, 48)
    for (let i = first; i < end; i++) {
      const at = columns + part + (<usize>load<u16>(pixels + ((<usize>i) << 1))) * 128
      const value = v128.load32_splat(values + ((<usize>i) << 2))
      v128.store(at, f32x4.add(v128.load(at), f32x4.mul(value, d0)))
      v128.store(at, f32x4.add(v128.load(at, 16), f32x4.mul(value, d1)), 16)
      v128.store(at, f32x4.add(v128.load(at, 32), f32x4.mul(value, d2)), 32)
      v128.store(at, f32x4.add(v128.load(at, 48), f32x4.mul(value, d3)), 48)
    }
  }
}
