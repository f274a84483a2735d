/** Pictures as samples, made on the page: only it may decode files that somebody chose without handing them on. */

export interface PictureSamples {
  readonly inputs: Float32Array
  readonly labels: Uint8Array
  readonly classes: readonly string[]
  readonly perClass: readonly number[]
}

/** As many as the form reads at once; each takes about a millisecond. */
const PICTURES_MAX = 20_000

/**
 * Decodes pictures, fits each into `side × side` and makes it gray, 0 (black) to 1 (white).
 *
 * @param classes - The task's classes; `null` takes those that occur, sorted.
 * @throws An error that names the picture which could not be read or shows no class of the task.
 */
export async function readPictures(
  pictures: readonly { readonly file: File; readonly label: string }[],
  { side, classes }: { readonly side: number; readonly classes: readonly string[] | null },
): Promise<PictureSamples> {
  if (pictures.length > PICTURES_MAX)
    throw new Error(`These are ${pictures.length} pictures; at most ${PICTURES_MAX} can be taken at once`)
  const names = classes ?? sortedNames(pictures.map(({ label }) => label))
  const inputs = new Float32Array(pictures.length * side * side)
  const labels = new Uint8Array(pictures.length)
  const perClass = names.map(() => 0)
  const frame = new Frame(side)
  for (const [at, { file, label }] of pictures.entries()) {
    const position = names.indexOf(label)
    if (position < 0)
      throw new Error(`“${file.name}” shows “${label}”; the task knows ${names.slice(0, 12).join(', ')}`)
    inputs.set(await frame.read(file), at * side * side)
    labels[at] = position
    perClass[position] = (perClass[position] ?? 0) + 1
  }
  return { inputs, labels, classes: names, perClass }
}

/** Names once each; numbers by their value. */
function sortedNames(labels: readonly string[]): string[] {
  return [...new Set(labels)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** A canvas into which one picture after the other is fitted. */
export class Frame {
  readonly #side: number
  readonly #context: CanvasRenderingContext2D
  readonly #fit: 'whole' | 'middle'

  /** @param fit - `whole` keeps all of a picture, with black beside it; `middle` fills the square and cuts what stands out. */
  constructor(side: number, fit: 'whole' | 'middle' = 'whole') {
    this.#side = side
    this.#fit = fit
    const canvas = document.createElement('canvas')
    canvas.width = side
    canvas.height = side
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (context === null) throw new Error('This browser gives the page no canvas to read pictures with')
    this.#context = context
  }

  /** Grays of a picture from 0 to 1, its shape kept. */
  async read(file: Blob & { readonly name?: string }): Promise<Float32Array> {
    const bitmap = await createImageBitmap(file).catch(() => {
      throw new Error(`“${file.name ?? 'The file'}” is no picture that this browser reads`)
    })
    const [context, side] = [this.#context, this.#side]
    const scales = [side / bitmap.width, side / bitmap.height] as const
    const scale = this.#fit === 'whole' ? Math.min(...scales) : Math.max(...scales)
    const [width, height] = [bitmap.width * scale, bitmap.height * scale]
    context.fillStyle = 'black'
    context.fillRect(0, 0, side, side)
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, (side - width) / 2, (side - height) / 2, width, height)
    bitmap.close()
    return graysOf(context.getImageData(0, 0, side, side).data)
  }
}

/** Luma by ITU-R BT.601, as image programs have it. */
function graysOf(rgba: Uint8ClampedArray): Float32Array {
  const grays = new Float32Array(rgba.length / 4)
  for (let i = 0; i < grays.length; i++) {
    const [red, green, blue] = [rgba[4 * i] as number, rgba[4 * i + 1] as number, rgba[4 * i + 2] as number]
    grays[i] = (0.299 * red + 0.587 * green + 0.114 * blue) / 255
  }
  return grays
}
