import { StarlingError } from '../../core/codec/errors.ts'

/** The miner's kernel cannot run here: no WebAssembly with SIMD, or no memory. */
export class MinerUnavailableError extends StarlingError {
  override readonly name = 'MinerUnavailableError'
}
