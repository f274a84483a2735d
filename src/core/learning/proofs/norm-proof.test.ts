import { beforeAll, describe, expect, test } from 'vitest'
import { sumPeers } from '../../../testing/secure-sum-room.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { sha256Hex } from '../../codec/hash.ts'
import type { PeerId } from '../../codec/ids.ts'
import { clipToNorm } from '../privacy/clip.ts'
import { commit } from './group-engine.ts'
import {
  commitUpdate,
  drawBlinding,
  findFalseProofs,
  type NormStatement,
  type ProvedNorm,
  proveNorm,
  verifyNorms,
} from './norm-proof.ts'
import { decodeNormProof, encodeNormProof, normProofBytes } from './norm-proof-codec.ts'
import { drawSigns, falseAcceptBound, honestRatio, project, squaresMax } from './projection.ts'
import { ReferenceEngine } from './reference-engine.ts'
import { ORDER, scalarsToBytes } from './scalars.ts'

const random = seededBytes(77)
const engine = new ReferenceEngine()
const options = { engine, random }
const LENGTH = 8
const terms = { task: sha256Hex(new Uint8Array([1])), round: 2, length: LENGTH, normMax: 65_536, projections: 6 }
const [author, other] = sumPeers(2) as [PeerId, PeerId]

/** A statement and proof of a random update of just the norm that is allowed. */
function provedOf(seed: number, projections = terms.projections): ProvedNorm & { readonly bytes: Uint8Array } {
  const source = seededBytes(seed)
  const wide = new Int32Array(new Uint8Array(source.bytes(4 * LENGTH)).buffer)
  const values = clipToNorm(wide, terms.normMax)
  const blinding = drawBlinding(source)
  const statement: NormStatement = {
    ...terms,
    projections,
    author,
    beacon: source.bytes(32),
    commitment: commitUpdate(values, { blinding, engine }),
  }
  const proof = proveNorm(statement, { values, blinding, random: source, engine })
  return { statement, proof, bytes: encodeNormProof(proof) }
}

/** Whether bytes are accepted as a proof of a statement; refusals by name only. */
function accepts(statement: NormStatement, bytes: Uint8Array): boolean {
  try {
    return verifyNorms([{ statement, proof: decodeNormProof(bytes, { ...statement, engine }) }], options)
  } catch (error) {
    expect((error as Error).name).toBe('InvalidProofError')
    return false
  }
}

describe('norm proof', () => {
  let proved: ReturnType<typeof provedOf>
  beforeAll(() => {
    proved = provedOf(1)
  }, 60_000)

  test('[Z2] of an honest update is always accepted, at the very bound too', { timeout: 60_000 }, () => {
    for (let seed = 2; seed < 8; seed++) {
      const { statement, bytes } = provedOf(seed)
      expect(accepts(statement, bytes), `seed ${seed}`).toBe(true)
    }
  })

  test('[Z2] is for one statement alone', () => {
    const { statement, bytes } = proved
    expect(accepts(statement, bytes)).toBe(true)
    const changes: Partial<NormStatement>[] = [
      { round: 3 },
      { author: other },
      { task: sha256Hex(new Uint8Array([2])) },
      { beacon: new Uint8Array(32) },
      { normMax: 65_535 },
      { normMax: 65_537 },
      { commitment: commit(engine, 1n, 2n) },
    ]
    for (const change of changes)
      expect(accepts({ ...statement, ...change }, bytes), Object.keys(change)[0]).toBe(false)
  })

  test('[Z3] with any one byte changed is refused', { timeout: 300_000 }, () => {
    // The smallest proof has every kind of element, and each of its bytes is changed once.
    const { statement, bytes } = provedOf(1, 2)
    expect(bytes).toHaveLength(normProofBytes(statement))
    const flips = seededBytes(5).bytes(bytes.length)
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.slice()
      changed[at] = (changed[at] as number) ^ (1 << ((flips[at] as number) % 8))
      expect(accepts(statement, changed), `byte ${at}`).toBe(false)
    }
  })

  test.each([
    ['empty', (bytes: Uint8Array) => bytes.slice(0, 0)],
    ['cut', (bytes: Uint8Array) => bytes.slice(0, -1)],
    ['too long', (bytes: Uint8Array) => new Uint8Array([...bytes, 0])],
    ['zeros', (bytes: Uint8Array) => new Uint8Array(bytes.length)],
    ['a point that is none', (bytes: Uint8Array) => bytes.with(31, 0xff)],
    [
      'a scalar of the order',
      (bytes: Uint8Array) => new Uint8Array([...bytes.slice(0, -32), ...scalarsToBytes([ORDER])]),
    ],
    [
      'two elements changed for each other',
      (bytes: Uint8Array) => new Uint8Array([...bytes.slice(32, 64), ...bytes.slice(0, 32), ...bytes.slice(64)]),
    ],
  ])('[Z3] malformed, %s, is refused by name', (_, damage) => {
    expect(accepts(proved.statement, damage(proved.bytes))).toBe(false)
  })

  test('[Z2] an update above its bound has no proof', () => {
    const { statement } = proved
    const values = new Int32Array(LENGTH)
    values[0] = 65_537
    expect(() => proveNorm(statement, { values, blinding: 1n, ...options })).toThrow(
      expect.objectContaining({
        name: 'UnprovableNormError',
        details: { field: 'norm', value: 65_537n, limit: 65_536 },
      }),
    )
  })

  test('[Z4] a batch holds when all do, and names those that do not', { timeout: 60_000 }, () => {
    const good = [1, 2, 3].map((seed) => provedOf(seed))
    expect(verifyNorms(good, options)).toBe(true)
    const [first, second, third] = good as readonly ProvedNorm[] as [ProvedNorm, ProvedNorm, ProvedNorm]
    const mixed = [first, { statement: second.statement, proof: third.proof }, third]
    expect(verifyNorms(mixed, options)).toBe(false)
    expect(findFalseProofs(mixed, options)).toEqual([1])
    expect(findFalseProofs(good, options)).toEqual([])
  })
})

describe('projections', () => {
  test.each([
    ['one value', (at: number) => (at === 0 ? 1_000 : 0)],
    ['two equal values, the worst case', (at: number) => (at < 2 ? 707 : 0)],
    ['all values', (at: number) => (at % 2 === 0 ? 100 : -101)],
  ])('[Z2] twice the bound passes no more often than is stated: %s', (_, valueAt) => {
    const [length, count, trials] = [100, 30, 1_500]
    const values = Int32Array.from({ length }, (_, at) => valueAt(at))
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
    let [honest, twice, thrice] = [0, 0, 0]
    for (let trial = 0; trial < trials; trial++) {
      const signs = drawSigns(seededBytes(trial).bytes(32), { count, length })
      const squares = BigInt(project(values, signs, count).reduce((sum, value) => sum + value * value, 0))
      if (squares <= squaresMax(Math.ceil(norm), count)) honest++
      if (squares <= squaresMax(Math.floor(norm / 2), count)) twice++
      if (squares <= squaresMax(Math.floor(norm / 3), count)) thrice++
    }
    expect(honest).toBe(trials)
    const stated = (factor: number) => trials * falseAcceptBound(count, factor)
    for (const [passed, factor] of [
      [twice, 2],
      [thrice, 3],
    ] as const) {
      expect(passed, `factor ${factor}`).toBeLessThanOrEqual(stated(factor) + 5 * Math.sqrt(stated(factor)) + 1)
    }
  })

  test('[Z2] states its chances', () => {
    expect(honestRatio(126)).toBeGreaterThan(1.8)
    expect(honestRatio(126)).toBeLessThan(2.1)
    expect(falseAcceptBound(126, 2)).toBeLessThan(2.2e-3)
    expect(falseAcceptBound(126, 3)).toBeLessThan(1e-6)
    expect(falseAcceptBound(126, 1.1)).toBe(1)
    expect(falseAcceptBound(62, 3)).toBeGreaterThan(falseAcceptBound(126, 3))
  })
})
