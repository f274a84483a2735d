import { fromHex } from '../../src/core/codec/bytes.ts'
import { commitUpdate, drawBlinding, proveRegardless } from '../../src/core/learning/proofs/norm-proof.ts'
import { encodeNormProof } from '../../src/core/learning/proofs/norm-proof-codec.ts'
import { drawSigns, project, squaresMax } from '../../src/core/learning/proofs/projection.ts'
import type { NormProofCases } from '../../src/testing/vectors/norm-proof-cases.ts'
import type { EncodedProof, Proofs } from '../../src/workers/proofs/contract.ts'
import { WasmEngine } from '../../src/workers/proofs/wasm-engine.ts'
import { NORM_MAX, openProofs, PROOF_KERNEL, proved, statementOf, updateOf } from '../support/proofs.ts'

/** What a tab found; see e2e/proofs.e2e.ts for what it must be. */
export interface ProofsReport {
  readonly vectors: { readonly honest: string; readonly accepted: readonly string[]; readonly refused: number }
  readonly honest: readonly string[]
  readonly cheats: readonly string[]
  readonly refusal: string
  readonly draws: { readonly count: number; readonly passed: number; readonly honestPassed: number }
  readonly cancelled: string
  readonly large: LargeReport | null
}

interface LargeReport {
  readonly verdicts: readonly string[]
  readonly shares: readonly number[]
  readonly proofBytes: number
  /** Longest time that the page's own thread had no turn while the worker proved. */
  readonly pageGapMs: number
  /** Milliseconds until the first commitment: of a worker that must derive its generators, and of the next, for which they were kept. */
  readonly firstMs: number
  readonly keptMs: number
}

const PROJECTIONS = 126
const SMALL = 64
const LARGE = 25_450
const DRAWS = 4_000
const random = { bytes: (count: number) => crypto.getRandomValues(new Uint8Array(count)) }

async function main(): Promise<ProofsReport> {
  const large = location.hash === '#large' ? await proveLarge() : null
  const proofs = openProofs()
  const vectors = await checkVectors(proofs)
  const honest: EncodedProof[] = []
  for (let trial = 0; trial < 10; trial++) {
    honest.push(await proved(proofs, updateOf(SMALL, 1 - trial / 10), { projections: trial % 2 === 0 ? 6 : 14 }))
  }
  const twice = updateOf(SMALL, 2)
  const refusal = await proved(proofs, twice, { projections: PROJECTIONS }).then(
    () => 'proved',
    (error: Error) => error.name,
  )
  const report = {
    vectors,
    honest: await proofs.verify(honest),
    cheats: await proofs.verify(await cheat(twice)),
    refusal,
    draws: drawn(),
    cancelled: await cancel(),
    large,
  }
  proofs.close()
  return report
}

async function checkVectors(proofs: Proofs): Promise<ProofsReport['vectors']> {
  const cases = (await (await fetch('/cases.json')).json()) as NormProofCases
  const honest = fromHex(cases.proof)
  const read = (plain: NormProofCases['statement']) => ({
    ...plain,
    beacon: fromHex(plain.beacon),
    commitment: fromHex(plain.commitment),
  })
  const statement = read(cases.statement)
  const bad: { readonly note: string; readonly of: EncodedProof }[] = [
    ...cases.otherStatements.map(({ note, statement: other }) => ({
      note,
      of: { statement: read(other), proof: honest },
    })),
    ...cases.malformed.map(({ note, edits, length }) => {
      const bytes = new Uint8Array(Math.max(length, honest.length))
      bytes.set(honest)
      for (const { at, bytes: over } of edits) bytes.set(fromHex(over), at)
      return { note, of: { statement, proof: bytes.slice(0, length) } }
    }),
  ]
  const verdicts = await proofs.verify(bad.map(({ of }) => of))
  const accepted = bad.filter((_, at) => verdicts[at] === 'holds').map(({ note }) => note)
  const [verdict] = await proofs.verify([{ statement, proof: honest }])
  return { honest: verdict ?? 'none', accepted, refused: verdicts.length - accepted.length }
}

/** The best that a cheat can send, three times. */
async function cheat(values: Int32Array): Promise<EncodedProof[]> {
  const response = await fetch(PROOF_KERNEL)
  const engine = new WasmEngine(await WebAssembly.compile(await response.arrayBuffer()))
  return Array.from({ length: 3 }, () => {
    const blinding = drawBlinding(random)
    const commitment = commitUpdate(values, { blinding, engine })
    const statement = statementOf(commitment, { length: values.length, projections: PROJECTIONS })
    return { statement, proof: encodeNormProof(proveRegardless(statement, { values, blinding, random, engine })) }
  })
}

/** How often the projections of too large an update are small enough: the one chance in a proof. */
function drawn(): ProofsReport['draws'] {
  // The worst case of all updates: two equal values.
  const values = new Int32Array(2).fill(Math.floor((NORM_MAX * 2) / Math.SQRT2))
  const [limit, own] = [squaresMax(NORM_MAX, PROJECTIONS), squaresMax(2 * NORM_MAX, PROJECTIONS)]
  let [passed, honestPassed] = [0, 0]
  for (let draw = 0; draw < DRAWS; draw++) {
    const signs = drawSigns(random.bytes(32), { count: PROJECTIONS, length: values.length })
    const squares = project(values, signs, PROJECTIONS).reduce((sum, value) => sum + BigInt(value) ** 2n, 0n)
    if (squares <= limit) passed++
    if (squares <= own) honestPassed++
  }
  return { count: DRAWS, passed, honestPassed }
}

/** Stops a proof at its first progress. */
async function cancel(): Promise<string> {
  const proofs = openProofs()
  const work = proved(proofs, updateOf(SMALL, 1), { projections: PROJECTIONS, onProgress: () => proofs.close() })
  return work.then(
    () => 'proved',
    (error: Error) => error.name,
  )
}

async function proveLarge(): Promise<LargeReport> {
  const values = updateOf(LARGE, 0.99)
  const started = performance.now()
  const proofs = openProofs()
  await proofs.commit(values)
  const firstMs = performance.now() - started
  let [last, pageGapMs] = [performance.now(), 0]
  const timer = setInterval(() => {
    pageGapMs = Math.max(pageGapMs, performance.now() - last)
    last = performance.now()
  }, 10)
  const shares: number[] = []
  const one = await proved(proofs, values, { projections: PROJECTIONS, onProgress: (share) => shares.push(share) })
  clearInterval(timer)
  const other = await proved(proofs, updateOf(LARGE, 0.5), { projections: PROJECTIONS })
  const changed = { ...one, proof: one.proof.with(500_000, (one.proof[500_000] ?? 0) ^ 1) }
  const verdicts = await proofs.verify([one, changed, other, { ...one, proof: other.proof }])
  proofs.close()
  const again = performance.now()
  const next = openProofs()
  await next.commit(values)
  const keptMs = performance.now() - again
  next.close()
  return { verdicts, shares, proofBytes: one.proof.length, pageGapMs, firstMs, keptMs }
}

main().then(
  (report) => post({ report }),
  (error: unknown) => post({ error: error instanceof Error ? `${error.message}\n${error.stack}` : String(error) }),
)

function post(result: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(result) })
}
