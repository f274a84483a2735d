import { randomBytes } from 'node:crypto'
import { sha256Hex } from '../src/core/codec/hash.ts'
import { peerIdOf } from '../src/core/identity/peer-id.ts'
import { clipToNorm } from '../src/core/learning/privacy/clip.ts'
import {
  commitUpdate,
  drawBlinding,
  type NormStatement,
  type ProvedNorm,
  proveNorm,
  verifyNorms,
} from '../src/core/learning/proofs/norm-proof.ts'
import { encodeNormProof } from '../src/core/learning/proofs/norm-proof-codec.ts'
import { loadEngine } from '../src/workers/proofs/load.node.ts'
import { type BenchLine, benchLine } from './bench-line.ts'

/** Parameters of an MLP 784-32-10. */
const LENGTH = 25_450
const BATCH = 4
const engine = await loadEngine()
const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) }

function timed<Result>(work: () => Result): { readonly result: Result; readonly ms: number } {
  const started = performance.now()
  const result = work()
  return { result, ms: performance.now() - started }
}

/** A statement about a random update whose norm is just allowed, with the time of its commitment. */
function stated(projections: number): { statement: NormStatement; values: Int32Array; blinding: bigint; ms: number } {
  const wide = Int32Array.from({ length: LENGTH }, () => Math.round((Math.random() - 0.5) * 2_000))
  const values = clipToNorm(wide, 65_536)
  const blinding = drawBlinding(random)
  const { result: commitment, ms } = timed(() => commitUpdate(values, { blinding, engine }))
  const statement = {
    task: sha256Hex(random.bytes(8)),
    round: 1,
    author: peerIdOf(random.bytes(32)),
    beacon: random.bytes(32),
    commitment,
    length: LENGTH,
    normMax: 65_536,
    projections,
  }
  return { statement, values, blinding, ms }
}

/** One prover, then a batch of one and of four: proofs are large, so the run keeps few. */
function proving(projections: number): BenchLine[] {
  const of = `d=${LENGTH}, k=${projections}`
  const { statement, values, blinding, ms } = stated(projections)
  // The first proof also makes the generators of its ranges, once for all.
  const first = timed(() => proveNorm(statement, { values, blinding, random, engine }))
  const again = timed(() => proveNorm(statement, { values, blinding, random, engine }))
  const one: ProvedNorm = { statement, proof: again.result }
  const batch = Array.from({ length: BATCH }, () => one)
  const single = timed(() => verifyNorms([one], { random, engine }))
  const together = timed(() => verifyNorms(batch, { random, engine }))
  if (!single.result || !together.result) throw new Error('An honest proof was refused')
  return [
    benchLine(`learning.commit (${of})`, ms, 'ms'),
    benchLine(`learning.prove (${of}; first, with generators)`, first.ms, 'ms'),
    benchLine(`learning.prove (${of})`, again.ms, 'ms'),
    benchLine(`learning.verify (${of}; one alone)`, single.ms, 'ms'),
    benchLine(
      `learning.verify (${of}; each of ${BATCH} together, against one alone)`,
      together.ms / BATCH,
      'ms',
      single.ms,
    ),
    benchLine(`learning.prove (${of}; size)`, encodeNormProof(again.result).length, 'bytes'),
  ]
}

export async function run(): Promise<readonly BenchLine[]> {
  const { ms } = timed(() => engine.generators('update', LENGTH))
  return [benchLine(`learning.prove (d=${LENGTH}; generators, once)`, ms, 'ms'), ...proving(30), ...proving(126)]
}
