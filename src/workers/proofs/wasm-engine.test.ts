import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ristretto255 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256Bytes } from '../../core/codec/hash.ts'
import type { Term } from '../../core/learning/proofs/group-engine.ts'
import { ReferenceEngine } from '../../core/learning/proofs/reference-engine.ts'
import { ORDER } from '../../core/learning/proofs/scalars.ts'
import { buildKernel, KERNELS } from '../build-kernels.node.ts'
import { type GeneratorStore, restoreGenerators, type StoredGenerators, saveGenerators } from './generator-store.ts'
import { loadEngine } from './load.node.ts'

const engine = await loadEngine()
const reference = new ReferenceEngine()
const LENGTH = 260

/** Zero, small, of either sign, around half the order and its end, and any. */
const scalars = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, ORDER - 1n, ORDER / 2n, ORDER / 2n + 1n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 252n),
  fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n }),
  fc.bigInt({ min: 0n, max: ORDER - 1n }),
)

function termsOf(of: typeof engine | typeof reference, from: number, list: readonly bigint[]): Term[] {
  return [
    { list: of.generators('test', LENGTH), from, scalars: list },
    { element: ristretto255.Point.BASE.toBytes(), scalar: list[0] ?? 0n },
  ]
}

describe('WasmEngine', () => {
  test('sums as the reference does, for few, many, and all kinds of scalars', { timeout: 120_000 }, () => {
    const lists = fc.oneof(
      fc.array(scalars, { minLength: 0, maxLength: 12 }),
      fc.array(scalars, { minLength: 190, maxLength: 240, size: 'max' }),
    )
    fc.assert(
      fc.property(lists, fc.nat(20), (list, from) => {
        expect(engine.sum(termsOf(engine, from, list))).toEqual(reference.sum(termsOf(reference, from, list)))
      }),
      { numRuns: 20 },
    )
    expect(engine.sum([])).toEqual(new Uint8Array(32))
  })

  test('folds as the reference does', { timeout: 60_000 }, () => {
    for (const factors of [[1n], [1n, ORDER - 2n], [3n, 0n, ORDER / 3n, 1n]]) {
      const own = engine.fold(engine.generators('test', 8), factors)
      expect(engine.encode(own)).toEqual(reference.encode(reference.fold(reference.generators('test', 8), factors)))
    }
  })

  test('takes RFC 9496 encodings alone', () => {
    // Sections A.1 and A.2: multiples of the generator, and what is none.
    let multiple = ristretto255.Point.ZERO
    for (let times = 0; times < 16; times++) {
      const bytes = multiple.toBytes()
      expect(engine.areElements(bytes)).toBe(true)
      expect(engine.sum([{ element: bytes, scalar: 1n }])).toEqual(bytes)
      multiple = multiple.add(ristretto255.Point.BASE)
    }
    expect(engine.areElements(new Uint8Array(96))).toBe(true)
    const bad = [
      ['00'.repeat(31) + 'ff', 'the highest bit'],
      ['ff'.repeat(32), 'all ones'],
      ['f3' + 'ff'.repeat(30) + '7f', 'not below p'],
      ['ed' + 'ff'.repeat(30) + '7f', 'p'],
      ['01' + '00'.repeat(31), 'negative'],
      ['26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371', 'no square'],
      ['ec' + 'ff'.repeat(30) + '7f', 'y is 0'],
    ] as const
    for (const [text, note] of bad) {
      const bytes = Uint8Array.from(Buffer.from(text, 'hex'))
      expect(engine.areElements(bytes), note).toBe(false)
      expect(() => engine.sum([{ element: bytes, scalar: 1n }])).toThrow(
        expect.objectContaining({ name: 'InvalidProofError' }),
      )
    }
  })

  test.skipIf(!existsSync('/usr/bin/clang'))('is what its source compiles to', () => {
    const output = join(mkdtempSync(join(tmpdir(), 'starling-kernel-')), 'ristretto.wasm')
    buildKernel(KERNELS.ristretto, output)
    expect(readFileSync(output).equals(readFileSync(new URL('./kernel/ristretto.wasm', import.meta.url)))).toBe(true)
  })
})

describe('kept generators', () => {
  function memoryStore(): GeneratorStore & { readonly lists: Map<string, StoredGenerators> } {
    const lists = new Map<string, StoredGenerators>()
    return {
      lists,
      load: async (name) => lists.get(name) ?? null,
      save: async (name, stored) => void lists.set(name, stored),
    }
  }

  async function kept(store: GeneratorStore): Promise<Uint8Array | null> {
    const fresh = await loadEngine()
    await restoreGenerators(fresh, store)
    return fresh.saved('update')
  }

  test('are taken back, and grow', async () => {
    const store = memoryStore()
    const first = await loadEngine()
    const list = first.encode(first.generators('update', 40))
    const lengths = new Map<string, number>()
    await saveGenerators(first, store, lengths)
    const second = await loadEngine()
    await restoreGenerators(second, store)
    expect(second.saved('update')).toEqual(first.saved('update'))
    expect(second.encode(second.generators('update', 40))).toEqual(list)
    expect(second.encode(second.generators('update', 60)).slice(0, list.length)).toEqual(list)
    await saveGenerators(second, store, lengths)
    expect(store.lists.get('update')?.bytes.length).toBe(second.saved('update')?.length)
  })

  test('are refused when they are damaged, false, or their store fails', async () => {
    const store = memoryStore()
    const first = await loadEngine()
    first.generators('update', 1)
    await saveGenerators(first, store, new Map())
    const { bytes, digest } = store.lists.get('update') as StoredGenerators
    const false_ = bytes.with(0, (bytes[0] as number) ^ 1)
    for (const bad of [
      { bytes: false_, digest },
      { bytes: false_, digest: sha256Bytes(false_) },
      { bytes: bytes.slice(1), digest: sha256Bytes(bytes.slice(1)) },
      { bytes: new Uint8Array(), digest: sha256Bytes(new Uint8Array()) },
    ]) {
      store.lists.set('update', bad)
      expect(await kept(store)).toBeNull()
    }
    expect(await kept({ ...store, load: () => Promise.reject(new Error('no storage')) })).toBeNull()
  })
})
