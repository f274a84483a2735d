import type { Engine } from './engine.ts'

/** What differs between a browser and Node. */
export interface TrainingPlatform {
  /** The bundled digits, as they are stored: gzip. */
  bundledDigits(): Promise<Uint8Array>
  /** A picture as grays, 0 to 255, scaled to fit; `null` where pictures cannot be decoded. */
  readonly decodePicture: ((file: Blob, width: number, height: number) => Promise<Uint8Array>) | null
  /** An engine other than the reference; `null` when its device is not there. */
  loadEngine(kind: 'webgpu' | 'wasm'): Promise<Engine | null>
}
