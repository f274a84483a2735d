/**
 * Proofs of an update of an MLP 784-32-10 in the real worker of a tab; and what they are made of, a sum of products, by the kernel and by a library in
 * big integers, in turns on the page.
 */
import { pippenger } from '@noble/curves/abstract/curve.js'
import { ristretto255 } from '@noble/curves/ed25519.js'
import { openProofs, PROOF_KERNEL, proved, updateOf } from '../../e2e/support/proofs.ts'
import { drawScalars } from '../../src/core/learning/proofs/scalars.ts'
import type { EncodedProof } from '../../src/workers/proofs/contract.ts'
import { WasmEngine } from '../../src/workers/proofs/wasm-engine.ts'

const LENGTH = 25_450
const PRODUCTS = 1_024
const BATCH = 4
const ROUNDS = 3

/** Milliseconds of each round. */
export interface ProofRounds {
  readonly projections: number
  /** The first commitment, which derives the generators. */
  readonly first: number
  readonly commit: readonly number[]
  readonly prove: readonly number[]
  readonly verify: readonly number[]
  /** Of all in the batch together. */
  readonly batch: readonly number[]
  readonly proofBytes: number
}

export interface ProofFigures {
  readonly proofs: readonly ProofRounds[]
  readonly batchSize: number
  readonly products: number
  readonly kernel: readonly number[]
  readonly library: readonly number[]
}

async function timed<Result>(times: number[], work: () => Promise<Result> | Result): Promise<Result> {
  const started = performance.now()
  const result = await work()
  times.push(performance.now() - started)
  return result
}

async function rounds(projections: number): Promise<ProofRounds> {
  const proofs = openProofs()
  const values = updateOf(LENGTH, 1)
  const [first, commit, prove, verify, batch]: number[][] = [[], [], [], [], []]
  await timed(first as number[], () => proofs.commit(values))
  // The first also derives the generators of its ranges.
  const all: EncodedProof[] = [await proved(proofs, values, { projections })]
  for (let round = 0; round < ROUNDS; round++) {
    const { commitment, blinding } = await timed(commit as number[], () => proofs.commit(values))
    const statement = { ...(all[0] as EncodedProof).statement, commitment }
    const proof = await timed(prove as number[], () => proofs.prove({ statement, values, blinding }))
    all.push({ statement, proof })
    const held = await timed(verify as number[], () => proofs.verify(all.slice(-1)))
    const some = Array.from({ length: BATCH }, (_, at) => all[at % all.length] as EncodedProof)
    const together = await timed(batch as number[], () => proofs.verify(some))
    if (![...held, ...together].every((verdict) => verdict === 'holds')) throw new Error('An honest proof was refused')
  }
  proofs.close()
  return {
    projections,
    first: (first as number[])[0] as number,
    commit: commit as number[],
    prove: prove as number[],
    verify: verify as number[],
    batch: batch as number[],
    proofBytes: (all[0] as EncodedProof).proof.length,
  }
}

async function products(): Promise<Pick<ProofFigures, 'kernel' | 'library'>> {
  const response = await fetch(PROOF_KERNEL)
  const engine = new WasmEngine(await WebAssembly.compile(await response.arrayBuffer()))
  const list = engine.generators('update', PRODUCTS)
  const encoded = engine.encode(list)
  const points = Array.from({ length: PRODUCTS }, (_, at) =>
    ristretto255.Point.fromBytes(encoded.slice(32 * at, 32 * at + 32)),
  )
  const scalars = drawScalars({ bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) }, PRODUCTS)
  const [kernel, library]: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    const own = await timed(kernel, () => engine.sum([{ list, from: 0, scalars }]))
    const other = await timed(library, () => pippenger(ristretto255.Point, points, scalars))
    if (!ristretto255.Point.fromBytes(own).equals(other)) throw new Error('The kernel and the library differ')
  }
  // The first round only warms both up.
  return { kernel: kernel.slice(1), library: library.slice(1) }
}

async function main(): Promise<ProofFigures> {
  const proofs = [await rounds(30), await rounds(126)]
  return { proofs, batchSize: BATCH, products: PRODUCTS, ...(await products()) }
}

main().then(
  (figures) => post({ figures }),
  (error: unknown) => post({ error: String(error) }),
)

function post(result: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(result) })
}
