import type { Drawing } from '../../../core/learning/dataset-digit.ts'
import type { Stroke } from './strokes.ts'

/** Pixels a side of the sheet that is drawn on; shown at any size. */
export const SHEET_SIDE = 280
/** MNIST's pen, scaled: strokes are about 2 of 20 pixels wide. */
const PEN_WIDTH = 24
/** Strokes are in hundredths of the side. */
const UNITS = 100
/** A picture brighter than this at its rim is ink on paper, not light on dark; 0 to 255. */
const PAPER = 127

/** A sheet of transparent paper: ink is where it is opaque, so that its colour can follow the theme. */
export class Sheet {
  readonly #context: CanvasRenderingContext2D
  #last: readonly [number, number] | null = null

  constructor(canvas: HTMLCanvasElement) {
    canvas.width = SHEET_SIDE
    canvas.height = SHEET_SIDE
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (context === null) throw new Error('This browser gives the page no canvas to draw on')
    this.#context = context
    context.lineWidth = PEN_WIDTH
    context.lineCap = 'round'
    context.lineJoin = 'round'
  }

  clear(): void {
    this.#context.clearRect(0, 0, SHEET_SIDE, SHEET_SIDE)
    this.#last = null
  }

  /** @param at - Hundredths of the side. */
  penDown(at: readonly [number, number], colour: string): void {
    this.#context.strokeStyle = colour
    this.#last = at
    this.penTo(at)
  }

  penTo(at: readonly [number, number]): void {
    if (this.#last === null) return
    const scale = SHEET_SIDE / UNITS
    const [context, [x, y]] = [this.#context, this.#last]
    context.beginPath()
    context.moveTo(x * scale, y * scale)
    context.lineTo(at[0] * scale, at[1] * scale)
    context.stroke()
    this.#last = at
  }

  penUp(): void {
    this.#last = null
  }

  write(strokes: readonly Stroke[], colour: string): void {
    this.clear()
    for (const [first, ...rest] of strokes) {
      if (first === undefined) continue
      this.penDown(first, colour)
      for (const at of rest) this.penTo(at)
      this.penUp()
    }
  }

  /** Ink in another colour, as after a change of theme. */
  recolour(colour: string): void {
    const context = this.#context
    context.save()
    context.globalCompositeOperation = 'source-in'
    context.fillStyle = colour
    context.fillRect(0, 0, SHEET_SIDE, SHEET_SIDE)
    context.restore()
  }

  /** Lays a picture on the sheet: `grays` of `SHEET_SIDE²` from 0 to 1; dark ink on light paper is turned around. */
  lay(grays: Float32Array, colour: string): void {
    this.clear()
    const turned = rimOf(grays) * 255 > PAPER
    const image = this.#context.createImageData(SHEET_SIDE, SHEET_SIDE)
    for (let i = 0; i < grays.length; i++) {
      const gray = grays[i] as number
      image.data[4 * i + 3] = Math.round((turned ? 1 - gray : gray) * 255)
    }
    this.#context.putImageData(image, 0, 0)
    this.recolour(colour)
  }

  drawing(): Drawing {
    const { data } = this.#context.getImageData(0, 0, SHEET_SIDE, SHEET_SIDE)
    return { grays: inkOf(data), width: SHEET_SIDE, height: SHEET_SIDE }
  }
}

/** Fainter than this is the noise of a photographed sheet, not ink; 0 to 255. */
const FAINT = 40

/** Opacity of each pixel. */
function inkOf(rgba: Uint8ClampedArray): Uint8Array {
  const grays = new Uint8Array(rgba.length / 4)
  for (let i = 0; i < grays.length; i++) {
    const opacity = rgba[4 * i + 3] as number
    grays[i] = opacity < FAINT ? 0 : opacity
  }
  return grays
}

/** Mean of the outermost pixels of a square of grays. Exported for its test. */
export function rimOf(grays: Float32Array): number {
  const side = Math.sqrt(grays.length)
  let sum = 0
  for (let i = 0; i < side; i++) {
    const [top, bottom, left, right] = [i, (side - 1) * side + i, i * side, i * side + side - 1]
    for (const at of [top, bottom, left, right]) sum += grays[at] as number
  }
  return sum / (4 * side)
}
