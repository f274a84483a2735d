import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../core/codec/bytes.ts'
import type { GroupEngine } from '../../core/learning/proofs/group-engine.ts'
import { type NormStatement, verifyNorms } from '../../core/learning/proofs/norm-proof.ts'
import { decodeNormProof } from '../../core/learning/proofs/norm-proof-codec.ts'
import { normProofBytes } from '../../core/learning/proofs/proof-size.ts'
import { ReferenceEngine } from '../../core/learning/proofs/reference-engine.ts'
import { seededBytes } from '../../testing/seeded-bytes.ts'
import { makeCases, type NormProofCases, readMalformed, readStatement } from '../../testing/vectors/norm-proof-cases.ts'
import { loadEngine } from './load.node.ts'

const file = new URL('../../testing/vectors/norm-proof-cases.json', import.meta.url)
const cases = JSON.parse(readFileSync(file, 'utf8')) as NormProofCases
const honest = fromHex(cases.proof)
const statement = readStatement(cases.statement)
const random = seededBytes(3)

/** Whether bytes are accepted as a proof; refusals by name only. */
function accepts(engine: GroupEngine, of: NormStatement, bytes: Uint8Array): boolean {
  try {
    return verifyNorms([{ statement: of, proof: decodeNormProof(bytes, { ...of, engine }) }], { engine, random })
  } catch (error) {
    expect((error as Error).name).toBe('InvalidProofError')
    return false
  }
}

describe.each([
  ['kernel', await loadEngine(), 1],
  ['reference', new ReferenceEngine(), 9],
])('vectors of norm proofs, %s', (_, engine, step) => {
  test('[Z1] generators are derived from their names', () => {
    for (const { name, index, element } of cases.generators) {
      const encoded = engine.encode(engine.generators(name, 2))
      expect(toHex(encoded.slice(32 * index, 32 * index + 32)), `${name} ${index}`).toBe(element)
    }
  })

  test('[Z2] the honest proof is accepted, for its statement alone', { timeout: 60_000 }, () => {
    expect(honest).toHaveLength(normProofBytes(statement))
    expect(accepts(engine, statement, honest)).toBe(true)
    for (const { note, statement: other } of cases.otherStatements)
      expect(accepts(engine, readStatement(other), honest), note).toBe(false)
  })

  test('[Z2] a proof of too large an update is refused', { timeout: 60_000 }, () => {
    expect(accepts(engine, readStatement(cases.aboveBound.statement), fromHex(cases.aboveBound.proof))).toBe(false)
  })

  test('[Z3] every malformed proof is refused', { timeout: 120_000 }, () => {
    expect(cases.malformed.length).toBeGreaterThan(120)
    // The reference takes half a second for one that is refused late: it sees every ninth.
    const seen = cases.malformed.filter((_, at) => at % step === 0)
    for (const malformed of seen)
      expect(accepts(engine, statement, readMalformed(honest, malformed)), malformed.note).toBe(false)
  })

  test('makes the same bytes from the same seeds', { timeout: 120_000 }, () => {
    expect(makeCases(engine)).toEqual(cases)
  })
})

test('[Z3] with any one byte changed, in either of two ways, a proof is refused', { timeout: 300_000 }, async () => {
  const engine = await loadEngine()
  // Of every kind of element there is one in the smallest proof.
  const others = seededBytes(5).bytes(honest.length)
  for (let at = 0; at < honest.length; at++) {
    const byte = honest[at] as number
    for (const changed of new Set([byte ^ (1 << (at & 7)), byte ^ (1 + ((others[at] as number) % 255))])) {
      expect(accepts(engine, statement, honest.with(at, changed)), `byte ${at} is ${changed}`).toBe(false)
    }
  }
})
