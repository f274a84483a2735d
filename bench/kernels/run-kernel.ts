/** Runs a kernel's raw or prepared module once through the reactor ABI, in a fresh instance. */
import { meterOf } from '../../src/core/sandbox/meter.ts'

interface ReactorExports extends Record<string, unknown> {
  readonly memory: WebAssembly.Memory
  readonly _initialize?: () => void
  starling_alloc(length: number): number
  starling_run(at: number, length: number): bigint
}

export interface KernelResult {
  /** Output in hexadecimal, or the trap. */
  readonly output: string
  readonly gas: bigint
  /** Of `starling_run` alone. */
  readonly durationMs: number
}

export interface KernelRunInit {
  readonly metered: boolean
  readonly gasMax?: bigint
  readonly stackBytesMax?: number
}

export const KERNEL_GAS_MAX = 50_000_000n
export const KERNEL_STACK_BYTES_MAX = 262_144

export function runKernel(module: WebAssembly.Module, input: Uint8Array, init: KernelRunInit): KernelResult {
  const exports = new WebAssembly.Instance(module, {}).exports as unknown as ReactorExports // kernels have this ABI
  const meter = init.metered ? meterOf(exports) : null
  let durationMs = 0
  try {
    meter?.start({
      gasMax: init.gasMax ?? KERNEL_GAS_MAX,
      stackBytesMax: init.stackBytesMax ?? KERNEL_STACK_BYTES_MAX,
    })
    exports._initialize?.()
    const at = exports.starling_alloc(input.length)
    new Uint8Array(exports.memory.buffer).set(input, at)
    const started = performance.now()
    const packed = exports.starling_run(at, input.length)
    durationMs = performance.now() - started
    const start = Number((packed >> 32n) & 0xffff_ffffn)
    const output = Buffer.from(exports.memory.buffer, start, Number(packed & 0xffff_ffffn)).toString('hex')
    return { output, gas: meter?.gasUsed() ?? 0n, durationMs }
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error
    return { output: `trap ${meter?.exhausted() ?? 'wasm'}`, gas: meter?.gasUsed() ?? 0n, durationMs }
  }
}
