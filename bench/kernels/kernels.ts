/** The kernels and the inputs that everybody runs them on: benchmark, determinism corpus and differential tests alike. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Kernel {
  readonly name: string
  readonly description: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly inputs: readonly Uint8Array[]
  /** A longer run, for timing; `null` when the kernel is only about results. */
  readonly bench: Uint8Array | null
}

interface KernelFile {
  readonly kernels: readonly {
    readonly name: string
    readonly file: string
    readonly description: string
    readonly bench?: string
    readonly inputs: readonly string[]
  }[]
}

/** Reads `kernels.json` (inputs in hexadecimal) and the built modules. */
export function loadKernels(): Kernel[] {
  const folder = import.meta.dirname
  const { kernels } = JSON.parse(readFileSync(join(folder, 'kernels.json'), 'utf8')) as KernelFile
  return kernels.map(({ name, file, description, bench, inputs }) => ({
    name,
    description,
    bytes: new Uint8Array(readFileSync(join(folder, file))),
    inputs: inputs.map((hex) => fromHex(hex)),
    bench: bench === undefined ? null : fromHex(bench),
  }))
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
