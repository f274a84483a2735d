import type { AggregationKernel } from '../../core/learning/aggregate-kernel.ts'

/** What the lab loads, each platform in its own way. */
export interface LabPlatform {
  /** The bundled digits, as they are stored: gzip. */
  digits(): Promise<Uint8Array>
  /** The WebAssembly kernel; where it cannot be loaded, plain loops give the same bytes. */
  kernel(): Promise<AggregationKernel>
}
