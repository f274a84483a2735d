import { readFile } from 'node:fs/promises'
import { loadJax } from './load-jax.ts'
import type { TrainingPlatform } from './platform.ts'

/** What training needs of Node: no pictures are decoded there, and WebGPU is not there. */
export const nodePlatform: TrainingPlatform = {
  bundledDigits: () => readFile(new URL('./data/digits.bin', import.meta.url)),
  decodePicture: null,
  loadEngine: (kind) => (kind === 'webgpu' ? Promise.resolve(null) : loadJax(kind)),
}
