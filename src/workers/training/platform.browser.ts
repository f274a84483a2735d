import { TrainingUnavailableError } from './errors.ts'
import { loadJax } from './load-jax.ts'
import type { TrainingPlatform } from './platform.ts'

/** What training needs of a browser's worker. The bundler finds the digits by the expression in which they are named. */
export const browserPlatform: TrainingPlatform = {
  async bundledDigits() {
    const response = await fetch(new URL('./data/digits.bin', import.meta.url))
    if (!response.ok) {
      throw new TrainingUnavailableError(`Bundled digits could not be loaded: status ${response.status}`, {
        value: response.status,
      })
    }
    return new Uint8Array(await response.arrayBuffer())
  },

  /** Fits the picture into the frame, keeps its shape, and fills the rest with black, as the ground of MNIST's digits is. */
  async decodePicture(file, width, height) {
    const bitmap = await createImageBitmap(file)
    try {
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d', { willReadFrequently: true })
      if (context === null) throw new TrainingUnavailableError('This browser gives a worker no 2D canvas')
      const scale = Math.min(width / bitmap.width, height / bitmap.height)
      const [w, h] = [bitmap.width * scale, bitmap.height * scale]
      context.fillStyle = 'black'
      context.fillRect(0, 0, width, height)
      context.imageSmoothingQuality = 'high'
      context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h)
      return graysOf(context.getImageData(0, 0, width, height).data)
    } finally {
      bitmap.close()
    }
  },

  loadEngine: loadJax,
}

/** Luma by ITU-R BT.601, as image programs have it. */
function graysOf(rgba: Uint8ClampedArray): Uint8Array {
  const grays = new Uint8Array(rgba.length / 4)
  for (let i = 0; i < grays.length; i++) {
    const [red, green, blue] = [rgba[4 * i] as number, rgba[4 * i + 1] as number, rgba[4 * i + 2] as number]
    grays[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
  }
  return grays
}
