import type { ResultItem, ResultView } from '../../../node/contract.ts'
import { PICTURE_SIDE_MAX } from '../../limits.ts'

export type TilesView = Extract<ResultView, { kind: 'tiles' }>

/** Bytes of a pixel: red, green, blue, alpha. */
const PIXEL_BYTES = 4

/** Whole pixels of the picture a view describes. */
export function pictureSize(view: TilesView): { readonly width: number; readonly height: number } {
  return { width: view.columns * view.tileWidth, height: view.rows * view.tileHeight }
}

/** Why a picture cannot be drawn, or `null`. */
export function pictureRefusal(view: TilesView): string | null {
  const { width, height } = pictureSize(view)
  if (width <= PICTURE_SIDE_MAX && height <= PICTURE_SIDE_MAX) return null
  return `The picture is ${width} × ${height} pixels; this page draws at most ${PICTURE_SIDE_MAX} on a side. Download the results instead.`
}

/** Puts tiles in their places on a canvas, past React. */
export class PicturePainter {
  readonly #context: CanvasRenderingContext2D
  readonly #view: TilesView

  constructor(canvas: HTMLCanvasElement, view: TilesView) {
    const { width, height } = pictureSize(view)
    canvas.width = width
    canvas.height = height
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('This browser cannot draw on a canvas')
    this.#context = context
    this.#view = view
  }

  paint(items: readonly ResultItem[]): void {
    for (const { unit, outcome } of items) this.#paintTile(unit, outcome.stdout)
  }

  #paintTile(unit: number, rgba: Uint8Array): void {
    const { columns, rows, tileWidth, tileHeight } = this.#view
    // A unit that failed or wrote something else leaves its place empty; the grid says why.
    if (rgba.length !== tileWidth * tileHeight * PIXEL_BYTES || unit >= columns * rows) return
    const pixels = new Uint8ClampedArray(rgba.buffer as ArrayBuffer, rgba.byteOffset, rgba.length)
    const image = new ImageData(pixels, tileWidth, tileHeight)
    this.#context.putImageData(image, (unit % columns) * tileWidth, Math.floor(unit / columns) * tileHeight)
  }
}
