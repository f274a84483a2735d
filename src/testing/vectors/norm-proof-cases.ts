/**
 * A norm proof, and proofs that are none: `node src/testing/vectors/norm-proof-cases.ts` writes `norm-proof-cases.json` beside this file, from seeds,
 * the same bytes each time. Made by this repository's own code, for other implementations and for its own later versions; generators are
 * by RFC 9496, so their encodings can be checked with any implementation of ristretto255.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { fromHex, toHex } from '../../core/codec/bytes.ts'
import { sha256Hex } from '../../core/codec/hash.ts'
import type { Hash, PeerId } from '../../core/codec/ids.ts'
import { clipToNorm } from '../../core/learning/privacy/clip.ts'
import { type Element, type GroupEngine, generatorSeed } from '../../core/learning/proofs/group-engine.ts'
import {
  commitUpdate,
  drawBlinding,
  type NormStatement,
  proveNorm,
  proveRegardless,
} from '../../core/learning/proofs/norm-proof.ts'
import { encodeNormProof } from '../../core/learning/proofs/norm-proof-codec.ts'
import { ELEMENT_BYTES, SCALAR_BYTES } from '../../core/learning/proofs/proof-size.ts'
import { modulo, ORDER, scalarsToBytes } from '../../core/learning/proofs/scalars.ts'
import { loadEngine } from '../../workers/proofs/load.node.ts'
import { sumPeers } from '../secure-sum-room.ts'
import { seededBytes } from '../seeded-bytes.ts'

/** A statement with bytes as hexadecimal text. */
interface PlainStatement extends Omit<NormStatement, 'beacon' | 'commitment'> {
  readonly beacon: string
  readonly commitment: string
}

/** What is done to the honest proof: bytes written over it, then the end cut or zeros added. */
export interface MalformedProof {
  readonly note: string
  readonly edits: readonly { readonly at: number; readonly bytes: string }[]
  readonly length: number
}

export interface NormProofCases {
  readonly generators: readonly {
    readonly name: string
    readonly index: number
    readonly seed: string
    readonly element: string
  }[]
  readonly statement: PlainStatement
  readonly proof: string
  /** Statements that the honest proof is not about. */
  readonly otherStatements: readonly { readonly note: string; readonly statement: PlainStatement }[]
  readonly malformed: readonly MalformedProof[]
  /** What a cheat sends whose update is beyond what its projections may be. */
  readonly aboveBound: { readonly statement: PlainStatement; readonly proof: string }
}

export function readStatement(plain: PlainStatement): NormStatement {
  return { ...plain, beacon: fromHex(plain.beacon), commitment: fromHex(plain.commitment) }
}

export function readMalformed(honest: Uint8Array, { edits, length }: MalformedProof): Uint8Array {
  const bytes = honest.slice()
  for (const { at, bytes: over } of edits) bytes.set(fromHex(over), at)
  const cut = new Uint8Array(length)
  cut.set(bytes.subarray(0, length))
  return cut
}

const LENGTH = 8
const PROJECTIONS = 2
const NORM_MAX = 65_536
/** Places of a proof's elements and scalars, for two projections and 128 bits. */
const ELEMENTS = [
  ...['V_1', 'V_2', 'W_1', 'W_2', 'upper slack', 'T1', 'T2', 't_1', "t'_1", 't_2', "t'_2"],
  ...['A', 'S', 'range T1', 'range T2', ...numbered('L', 7), ...numbered('R', 7)],
]
const SCALARS = [
  ...[...numbered('z', LENGTH), 'blinding of z', 'blinding of the row'],
  ...['root 1', "root 1'", "root 1''", 'root 2', "root 2'", "root 2''"],
  ...['tau', 'mu', 't', 'a', 'b'],
]

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${name}_${at + 1}`)
}

/** Builds all cases; the same for every engine. */
export function makeCases(engine: GroupEngine): NormProofCases {
  const [author, other] = sumPeers(2) as [PeerId, PeerId]
  const made = (seed: number, factor: number) => {
    const source = seededBytes(seed)
    const wide = new Int32Array(new Uint8Array(source.bytes(4 * LENGTH)).buffer)
    const values = clipToNorm(wide, NORM_MAX).map((value) => value * factor)
    const blinding = drawBlinding(source)
    const statement: NormStatement = {
      task: sha256Hex(new Uint8Array([1])),
      round: 2,
      author,
      beacon: source.bytes(32),
      commitment: commitUpdate(values, { blinding, engine }),
      length: LENGTH,
      normMax: NORM_MAX,
      projections: PROJECTIONS,
    }
    const prove = factor === 1 ? proveNorm : proveRegardless
    return { statement, proof: encodeNormProof(prove(statement, { values, blinding, random: source, engine })) }
  }
  const honest = made(1, 1)
  const above = made(2, 40)
  return {
    generators: ['base', 'update', 'range-g', 'range-h', 'range-q'].flatMap((name) =>
      [0, 1].map((index) => ({
        name,
        index,
        seed: toHex(generatorSeed(name, index)),
        element: toHex(
          engine.encode(engine.generators(name, 2)).slice(index * ELEMENT_BYTES, (index + 1) * ELEMENT_BYTES),
        ),
      })),
    ),
    statement: plainOf(honest.statement),
    proof: toHex(honest.proof),
    otherStatements: othersOf(honest.statement, other, above.statement.commitment),
    malformed: [
      ...lengths(honest.proof.length),
      ...elementCases(honest.proof, engine),
      ...scalarCases(honest.proof),
      ...swaps(honest.proof),
    ],
    aboveBound: { statement: plainOf(above.statement), proof: toHex(above.proof) },
  }
}

function plainOf(statement: NormStatement): PlainStatement {
  return { ...statement, beacon: toHex(statement.beacon), commitment: toHex(statement.commitment) }
}

function othersOf(statement: NormStatement, other: PeerId, commitment: Element): NormProofCases['otherStatements'] {
  const changes: readonly [string, Partial<NormStatement>][] = [
    ['the next round', { round: statement.round + 1 }],
    ['another author', { author: other }],
    ['another task', { task: sha256Hex(new Uint8Array([2])) as Hash }],
    ['another beacon', { beacon: new Uint8Array(32) }],
    ['a smaller bound', { normMax: NORM_MAX - 1 }],
    ['a larger bound', { normMax: NORM_MAX + 1 }],
    ['another commitment', { commitment }],
    ['the neutral commitment', { commitment: new Uint8Array(32) }],
  ]
  return changes.map(([note, change]) => ({ note, statement: plainOf({ ...statement, ...change }) }))
}

function lengths(whole: number): MalformedProof[] {
  const of: readonly [string, number][] = [
    ['empty', 0],
    ['one byte', 1],
    ['cut by a byte', whole - 1],
    ['cut by a scalar', whole - SCALAR_BYTES],
    ['a byte too long', whole + 1],
    ['a scalar too long', whole + SCALAR_BYTES],
    ['twice as long', 2 * whole],
  ]
  return of.map(([note, length]) => ({ note, edits: [], length }))
}

const elementAt = (at: number) => at * ELEMENT_BYTES
const scalarAt = (at: number) => ELEMENTS.length * ELEMENT_BYTES + at * SCALAR_BYTES

function elementCases(proof: Uint8Array, engine: GroupEngine): MalformedProof[] {
  const prime = 2n ** 255n - 19n
  const edit = (note: string, at: number, bytes: Uint8Array) => ({
    note,
    edits: [{ at, bytes: toHex(bytes) }],
    length: proof.length,
  })
  const number = (value: bigint) => Uint8Array.from({ length: 32 }, (_, at) => Number((value >> BigInt(8 * at)) & 255n))
  const first = proof.slice(0, ELEMENT_BYTES)
  const value = first.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let none = 2n
  while (engine.areElements(number(none))) none += 2n
  return [
    edit('an element beyond the field: p', 0, number(prime)),
    edit('an element beyond the field: p + 2', 0, number(prime + 2n)),
    edit('an element of all ones', 0, new Uint8Array(32).fill(0xff)),
    edit('an element with the highest bit', 0, first.with(31, (first[31] as number) | 0x80)),
    edit('a negative element', 0, number(prime - value)),
    edit('an element that is on no curve', 0, number(none)),
    edit('1, which is no element', 0, number(1n)),
    ...ELEMENTS.flatMap((name, at) => {
      const own = proof.slice(elementAt(at), elementAt(at + 1))
      return [
        edit(`${name} neutral`, elementAt(at), new Uint8Array(32)),
        edit(`${name} negated`, elementAt(at), engine.sum([{ element: own, scalar: -1n }])),
      ]
    }),
  ]
}

function scalarCases(proof: Uint8Array): MalformedProof[] {
  return SCALARS.flatMap((name, at) => {
    const place = scalarAt(at)
    const value = proof.slice(place, place + 32).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    const edit = (note: string, scalar: bigint) => ({
      note: `${name} ${note}`,
      edits: [{ at: place, bytes: toHex(scalarsToBytes([scalar])) }],
      length: proof.length,
    })
    return [
      edit('with the order added', value + ORDER),
      edit('negated', modulo(-value)),
      edit('and one', modulo(value + 1n)),
    ]
  })
}

function swaps(proof: Uint8Array): MalformedProof[] {
  const swap = (note: string, one: number, other: number, bytes: number) => ({
    note,
    edits: [
      { at: one, bytes: toHex(proof.slice(other, other + bytes)) },
      { at: other, bytes: toHex(proof.slice(one, one + bytes)) },
    ],
    length: proof.length,
  })
  const element = (one: string, other: string) =>
    swap(
      `${one} and ${other} changed for each other`,
      elementAt(ELEMENTS.indexOf(one)),
      elementAt(ELEMENTS.indexOf(other)),
      ELEMENT_BYTES,
    )
  return [
    element('V_1', 'V_2'),
    element('W_1', 'W_2'),
    element('T1', 'T2'),
    element('A', 'S'),
    element('L_1', 'R_1'),
    element('L_1', 'L_2'),
    swap('z_1 and z_2 changed for each other', scalarAt(0), scalarAt(1), SCALAR_BYTES),
    swap('a and b changed for each other', scalarAt(SCALARS.length - 2), scalarAt(SCALARS.length - 1), SCALAR_BYTES),
  ]
}

if (import.meta.main) {
  const cases = makeCases(await loadEngine())
  writeFileSync(fileURLToPath(new URL('norm-proof-cases.json', import.meta.url)), `${JSON.stringify(cases, null, 1)}\n`)
}
