import { sha256Hex } from '../../src/core/codec/hash.ts'
import type { Hash, PeerId } from '../../src/core/codec/ids.ts'
import type { NormStatement } from '../../src/core/learning/proofs/norm-proof.ts'
import { createProofs } from '../../src/workers/proofs/client.ts'
import type { EncodedProof, Proofs } from '../../src/workers/proofs/contract.ts'
import { superviseProofs } from '../../src/workers/proofs/spawn.ts'

/** Norm bound of every proof here: 1.0 in I16F16. */
export const NORM_MAX = 65_536
const TASK: Hash = sha256Hex(new Uint8Array([7]))

/** What a page of proofs is served with, besides itself. */
export const PROOF_WORKER = { '/proofs-worker.js': 'src/workers/proofs/worker.ts' } as const
/** Where that worker looks for its kernel. */
export const PROOF_KERNEL = '/kernel/ristretto.wasm'

/** The real worker, as it is bundled for a test page. */
export function openProofs(): Proofs {
  return createProofs({
    spawn: (events) => superviseProofs(new Worker('/proofs-worker.js', { type: 'module' }), events),
  })
}

/** An update whose norm is `share` of the bound, nearly. */
export function updateOf(length: number, share: number): Int32Array {
  const size = (share * NORM_MAX) / Math.sqrt(length)
  return Int32Array.from({ length }, (_, at) => Math.trunc(at % 2 === 0 ? size : -size))
}

export function statementOf(
  commitment: Uint8Array,
  of: { readonly length: number; readonly projections: number },
): NormStatement {
  const beacon = crypto.getRandomValues(new Uint8Array(32))
  return { ...of, task: TASK, round: 1, author: 'peer' as PeerId, beacon, commitment, normMax: NORM_MAX }
}

/** Commits to an update and proves it. */
export async function proved(
  proofs: Proofs,
  values: Int32Array,
  options: { readonly projections: number; readonly onProgress?: (share: number) => void },
): Promise<EncodedProof> {
  const { commitment, blinding } = await proofs.commit(values)
  const statement = statementOf(commitment, { length: values.length, projections: options.projections })
  return { statement, proof: await proofs.prove({ statement, values, blinding }, options.onProgress) }
}
