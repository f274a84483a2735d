import { toPlainError } from '../sandbox/errors.ts'
import type { ProofMessage, ProofRequest } from './contract.ts'
import { type GeneratorStore, restoreGenerators, saveGenerators } from './generator-store.ts'
import { ProofService } from './service.ts'
import type { WasmEngine } from './wasm-engine.ts'

/** The worker's side, the same on every platform. Resolves when what was kept is there. */
export async function serveProofs(
  engine: WasmEngine,
  store: GeneratorStore | null,
  post: (message: ProofMessage) => void,
): Promise<(request: ProofRequest) => void> {
  if (store !== null) await restoreGenerators(engine, store)
  const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) }
  const service = new ProofService(engine, random)
  const kept = new Map<string, number>()
  return ({ id, call }) => {
    try {
      const result = service.call(call, (share) => post({ type: 'progress', id, share }))
      post({ type: 'done', id, result })
    } catch (error) {
      post({ type: 'failed', id, error: toPlainError(error) })
    }
    if (store !== null) void saveGenerators(engine, store, kept)
  }
}
