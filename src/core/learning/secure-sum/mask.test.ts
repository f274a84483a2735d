import { chacha20 } from '@noble/ciphers/chacha.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../codec/bytes.ts'
import { sha256Hex } from '../../codec/hash.ts'
import { agreeNow, agreeThrough, checkPublicKey, portableKeyAgreement, publicKeyOf } from './key-agreement.ts'
import { addMask, bytesToValues, ownSeed, pairSeed, runSumWork, sealKey, valuesToBytes } from './mask.ts'

const session = sha256Hex(new Uint8Array([1]))

describe('addMask', () => {
  test('[Q5] reads the keystream of ChaCha20 as little-endian integers', () => {
    // RFC 8439, appendix A.1, test vector 1: key and nonce of zeros, counter 0.
    const values = new Int32Array(16)
    addMask(values, { seed: new Uint8Array(32), sign: 1 })
    expect(toHex(valuesToBytes(values)).slice(0, 64)).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7',
    )
  })

  test('[Q5] is one keystream over chunks of any length', () => {
    for (const length of [1, 15, 16, 17, 16_383, 16_384, 16_385, 40_000]) {
      const seed = new Uint8Array(32).fill(length % 251)
      const values = new Int32Array(length)
      addMask(values, { seed, sign: 1 })
      const stream = chacha20(seed, new Uint8Array(12), new Uint8Array(4 * length))
      expect(toHex(valuesToBytes(values).subarray(-40)), `length ${length}`).toBe(toHex(stream.subarray(-40)))
    }
  })

  test('[Q5] what one adds, the other takes away, whatever the values', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 50 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (list, seed) => {
          const values = Int32Array.from(list)
          addMask(values, { seed, sign: 1 })
          addMask(values, { seed, sign: -1 })
          expect([...values]).toEqual(list)
        },
      ),
    )
  })

  test('runSumWork adds modulo 2^32 and leaves its vectors alone', () => {
    const vectors = [Int32Array.of(2 ** 31 - 1, 5), Int32Array.of(1, -7)]
    expect([...runSumWork({ length: 2, vectors, terms: [] })]).toEqual([-(2 ** 31), -2])
    expect([...(vectors[0] as Int32Array)]).toEqual([2 ** 31 - 1, 5])
  })

  test('vectors travel little-endian', () => {
    const values = Int32Array.of(1, -2, 2 ** 31 - 1)
    expect(toHex(valuesToBytes(values))).toBe('01000000feffffffffffff7f')
    expect(bytesToValues(valuesToBytes(values))).toEqual(values)
    // Also from the middle of a larger buffer, at any offset.
    const shifted = new Uint8Array(13)
    shifted.set(valuesToBytes(values), 1)
    expect(bytesToValues(shifted.subarray(1))).toEqual(values)
  })
})

describe('seeds', () => {
  const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const secret = new Uint8Array(32).fill(7)

  test('a pair derives one seed, from either side; channels have one key for each direction', () => {
    expect(pairSeed(secret, session, [a, b])).toEqual(pairSeed(secret, session, [b, a]))
    expect(sealKey(secret, session, a, b)).not.toEqual(sealKey(secret, session, b, a))
  })

  test('every purpose and session has another', () => {
    const other = sha256Hex(new Uint8Array([2]))
    const all = [
      pairSeed(secret, session, [a, b]),
      pairSeed(secret, other, [a, b]),
      sealKey(secret, session, a, b),
      ownSeed(secret, session),
      ownSeed(secret, other),
    ]
    expect(new Set(all.map(toHex)).size).toBe(all.length)
  })
})

describe('rfc7748-x25519', () => {
  test('agrees from both sides, and as section 5.2 does', () => {
    const [alice, bob] = [new Uint8Array(32).fill(4), new Uint8Array(32).fill(5)]
    expect(portableKeyAgreement.agree(alice, publicKeyOf(bob))).toEqual(
      portableKeyAgreement.agree(bob, publicKeyOf(alice)),
    )
    const scalar = fromHex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4')
    const point = fromHex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c')
    expect(toHex(portableKeyAgreement.agree(scalar, point) as Uint8Array)).toBe(
      'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
    )
  })

  test.each([
    ['zero', '00'.repeat(32)],
    ['one', `01${'00'.repeat(31)}`],
    ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
    ['order 8, the other', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
    ['minus one', `ec${'ff'.repeat(30)}7f`],
    ['the prime', `ed${'ff'.repeat(30)}7f`],
    ['one above the prime', `ee${'ff'.repeat(30)}7f`],
    ['the highest bit set', `09${'00'.repeat(30)}80`],
    ['too short', '09'],
  ])('[Q4] refuses a public key of low order or another encoding: %s', (_, text) => {
    expect(() => checkPublicKey(fromHex(text))).toThrow(expect.objectContaining({ name: 'LowOrderKeyError' }))
    expect(portableKeyAgreement.agree(new Uint8Array(32).fill(3), fromHex(text))).toBeNull()
  })

  test('[Q4] agreement through a port is the same, and a key of low order never reaches the port', async () => {
    const asked: Uint8Array[] = []
    const port = {
      agree: async (secret: Uint8Array, publicKey: Uint8Array) => {
        asked.push(publicKey)
        return portableKeyAgreement.agree(secret, publicKey)
      },
    }
    const good = publicKeyOf(new Uint8Array(32).fill(8))
    const request = { secret: new Uint8Array(32).fill(3), publicKeys: [good, new Uint8Array(32)] }
    expect(await agreeThrough(port, request)).toEqual(agreeNow(request))
    expect(agreeNow(request)[1]).toBeNull()
    expect(asked).toEqual([good])
  })
})
