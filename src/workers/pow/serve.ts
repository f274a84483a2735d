import type { Argon2idKernel } from './argon2id.ts'
import type { MineRequest, MinerMessage } from './contract.ts'

/** The worker's side, the same on every platform. */
export function serveMiner(
  kernel: Argon2idKernel,
  post: (message: MinerMessage) => void,
): (request: MineRequest) => void {
  post({ type: 'ready' })
  return ({ id, work, first, count }) => {
    const started = performance.now()
    try {
      const { hashes, found } = kernel.mine(work, first, count)
      post({ type: 'tried', id, hashes, found, durationMs: performance.now() - started })
    } catch (error) {
      post({ type: 'fault', id, message: error instanceof Error ? error.message : String(error) })
    }
  }
}
