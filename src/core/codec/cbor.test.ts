import * as dagCbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from './bytes.ts'
import { decode, encode } from './cbor.ts'
import { StarlingError } from './errors.ts'
import { bytes } from './fields.ts'
import { DEPTH_MAX, INTEGER_MAX } from './limits.ts'

const LIMITS = { bytesMax: 10_000, depthMax: 4, itemsMax: 200 }
const read = (bytes: Uint8Array, limits = LIMITS) => decode(bytes, { what: 'thing', limits, schema: v.unknown() })

/** Whatever the protocol may carry. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.maxSafeInteger().map((n) => (Object.is(n, -0) ? 0 : n)),
    fc.string({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 8 }), tie('any'), { maxKeys: 4 }),
  ),
})).any

/** Runs a decoder on hostile bytes. @returns Whether it refused; anything but a named refusal is thrown on. */
function refuses(action: () => unknown): boolean {
  try {
    action()
    return false
  } catch (error) {
    if (!(error instanceof StarlingError)) throw error
    expect(error.message).not.toBe('')
    expect(error.details).toHaveProperty('field')
    return true
  }
}

describe('encode', () => {
  it('[C1] writes what the library writes', () => {
    const integers = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n })
    const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ minLength: 60, maxLength: 70 }))
    const keyed = fc.dictionary(fc.string({ unit: 'binary', maxLength: 40 }), fc.nat(), { maxKeys: 40 })
    fc.assert(
      fc.property(fc.oneof(value, integers, texts, keyed), (original) => {
        expect(toHex(encode(original))).toBe(toHex(dagCbor.encode(original)))
      }),
      { numRuns: 5_000 },
    )
    for (const length of [23, 24, 255, 256, 65_535, 65_536, 200_000]) {
      const bytes = new Uint8Array(length).fill(7)
      for (const original of [bytes, [bytes, 1], 'é'.repeat(length), Array(length).fill(0)])
        expect(Buffer.compare(encode(original), dagCbor.encode(original)), `${length}`).toBe(0)
    }
    for (const n of [0, -1, 23, 24, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, -(2 ** 32), -(2 ** 53) + 1, -0])
      expect(toHex(encode(n))).toBe(toHex(dagCbor.encode(n)))
  })

  it('[C1] does not take one set of keys for another', () => {
    expect(read(encode({ 'a,b': 1, c: 2 }))).toEqual({ 'a,b': 1, c: 2 })
    expect(read(encode({ a: 1, 'b,c': 2 }))).toEqual({ a: 1, 'b,c': 2 })
    expect(read(encode({}))).toEqual({})
    expect(read(encode({ '': 1 }))).toEqual({ '': 1 })
    expect(read(encode({ b: 1, aa: 2, a: 3 }))).toEqual({ b: 1, aa: 2, a: 3 })
    expect(toHex(encode({ b: 1, aa: 2, a: 3 }))).toBe(toHex(encode({ a: 3, aa: 2, b: 1 })))
  })

  it('refuses what could not be read', () => {
    const unfit = [1.5, Number.NaN, 2 ** 53, 2n ** 64n, -(2n ** 64n) - 1n, undefined, { a: undefined }, [() => 1]]
    for (const thing of [...unfit, Symbol('s'), new Map(), new Set(), new Int32Array(1), new ArrayBuffer(1)])
      expect(() => encode(thing)).toThrow(TypeError)
    // What was written halfway leaves nothing behind.
    expect(toHex(encode([1]))).toBe('8101')
  })
})

describe('decode', () => {
  it('[C1] reads what encode wrote, and writing it again gives the same bytes', () => {
    fc.assert(
      fc.property(value, (original) => {
        const bytes = encode(original)
        const result = read(bytes, { bytesMax: 1e6, depthMax: 10, itemsMax: 1e5 })
        expect(toHex(encode(result))).toBe(toHex(bytes))
      }),
    )
  })

  it('[C1] reads what the library reads, and nothing that it would not', () => {
    const integers = fc.bigInt({ min: -(2n ** 63n), max: INTEGER_MAX })
    fc.assert(
      fc.property(fc.oneof(value, integers, fc.array(integers)), (original) => {
        const bytes = encode(original)
        const wide = { bytesMax: 1e6, depthMax: 10, itemsMax: 1e5 }
        expect(read(bytes, wide)).toEqual(dagCbor.decode(bytes))
      }),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let mine: unknown
        if (refuses(() => (mine = read(bytes)))) return
        expect(mine).toEqual(dagCbor.decode(bytes))
      }),
      { numRuns: 5_000 },
    )
  })

  it('[C1] reads each of many keys as itself, however often and in whatever company', () => {
    const key = fc.oneof(fc.string({ unit: 'binary', maxLength: 26 }), fc.nat(5_000).map(String))
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 30 }), (keys) => {
        const original = Object.fromEntries(keys.filter((each) => each !== '__proto__').map((each, at) => [each, at]))
        const bytes = encode(original)
        for (let i = 0; i < 2; i++) expect(read(bytes)).toEqual(dagCbor.decode(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('[C2] what was read holds on to none of the bytes it was read from', () => {
    const bytes = encode([new Uint8Array(4)])
    const [inner] = read(bytes) as [Uint8Array]
    bytes.fill(0xff)
    expect(inner).toEqual(new Uint8Array(4))
    expect(inner.buffer.byteLength).toBe(4)
  })

  it('[C2] refuses random bytes only with named errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void refuses(() => read(bytes))),
      { numRuns: 3_000 },
    )
  })

  it('[C2] takes a changed encoding only where it is deterministic itself', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), (original, at, byte) => {
        const bytes = encode(original).slice()
        if (bytes.length === 0) return
        bytes[at % bytes.length] = byte
        if (refuses(() => read(bytes))) return
        expect(toHex(encode(read(bytes)))).toBe(toHex(bytes))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['an integer in more bytes than it needs', '1805'],
    ['a length in more bytes than it needs', '780161'],
    ['an indefinite list', '9f01ff'],
    ['a float', 'fb3ff0000000000000'],
    ['a half float', 'f93c00'],
    ['undefined', 'f7'],
    ['a tag', 'd82a4100'],
    ['keys out of order', 'a2616201616102'],
    ['a key twice', 'a2616101616102'],
    ['a key that is not text', 'a10101'],
    ['a key that is the prototype', 'a1695f5f70726f746f5f5f01'],
    ['text that is not UTF-8', '62c328'],
    ['bytes after the end', '0101'],
    ['nothing', ''],
    ['a list that says it is longer', '820 1'.replace(' ', '')],
    ['a string that says it is longer', '7a7fffffff61'],
    ['a map that says it is huge', 'bb7fffffffffffffff'],
    ['an integer beyond 64 bits signed below', '3bffffffffffffffff'],
  ])('[C2] refuses %s', (_, hex) => {
    expect(refuses(() => read(fromHex(hex)))).toBe(true)
  })

  it('[C3] refuses one byte, level or item too many, and names it', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)])
    expect(() => read(encode(nested(4)))).not.toThrow()
    expect(() => read(encode(nested(5)))).toThrow('thing has depth 5, limit 4')
    expect(() => read(encode(Array(199).fill(1)))).not.toThrow()
    expect(() => read(encode(Array(200).fill(1)))).toThrow('thing has items 201, limit 200')
    expect(() => read(encode(new Uint8Array(9_997)))).not.toThrow()
    expect(() => read(encode(new Uint8Array(9_998)))).toThrow('thing has bytes 10001, limit 10000')
    const wide = { bytesMax: 1e6, depthMax: 1e6, itemsMax: 1e6 }
    expect(() => read(encode(nested(DEPTH_MAX)), wide)).not.toThrow()
    expect(() => read(encode(nested(DEPTH_MAX + 1)), wide)).toThrow('thing has depth 65, limit 64')
  })

  it('[C4] keeps integers up to 63 bits exact', () => {
    for (const n of [0n, 23n, 24n, 2n ** 32n, 2n ** 53n, INTEGER_MAX]) {
      expect(BigInt(read(encode(n)) as number)).toBe(n)
      expect(toHex(encode(n))).toBe(toHex(encode(read(encode(n)))))
    }
  })

  it('[C5] names field, value and limit of the first thing wrong', () => {
    const schema = v.strictObject({ inner: v.strictObject({ count: v.pipe(v.number(), v.maxValue(7)) }) })
    const wrong = encode({ inner: { count: 8 } })
    expect(() => decode(wrong, { what: 'thing', limits: LIMITS, schema })).toThrow('thing.inner.count is 8, limit <=7')
    const unknown = encode({ inner: { count: 1, more: 1 } })
    expect(() => decode(unknown, { what: 'thing', limits: LIMITS, schema })).toThrow(/thing\.inner\.more/)
  })

  it('[C5] names the limit of bytes in words', () => {
    const schema = v.strictObject({ key: bytes(2, 4) })
    for (const length of [2, 4])
      decode(encode({ key: new Uint8Array(length) }), { what: 'thing', limits: LIMITS, schema })
    for (const length of [1, 5]) {
      const wrong = encode({ key: new Uint8Array(length) })
      expect(() => decode(wrong, { what: 'thing', limits: LIMITS, schema })).toThrow(
        'thing.key is Uint8Array, limit 2 to 4 bytes',
      )
    }
  })

  it('takes a megabyte of nesting in linear time', () => {
    const bytes = new Uint8Array(1_000_000).fill(0x81)
    const start = performance.now()
    expect(refuses(() => read(bytes, { bytesMax: 2e6, depthMax: 1e7, itemsMax: 1e7 }))).toBe(true)
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})
