import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../core/codec/bytes.ts'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import { testSigner } from '../testing/signers.ts'
import { PlatformVerifier } from './verifier.ts'

const MESSAGE = new TextEncoder().encode('Zcash')

/**
 * The eight canonical and six non-canonical encodings of small-order points; every pair of them as key and R, with s = 0, is valid
 * under ZIP215, and WebCrypto refuses most. Source: https://hdevalence.ca/blog/2020-10-04-its-25519am, "a set of test vectors".
 */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  '0000000000000000000000000000000000000000000000000000000000000000',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
].map(fromHex)

describe('PlatformVerifier', () => {
  const platform = new PlatformVerifier()
  // As in an insecure context.
  const alone = new PlatformVerifier(null)

  it('[S6] accepts all 196 ZIP215 vectors, with and without WebCrypto', async () => {
    let accepted = 0
    for (const key of SMALL_ORDER) {
      for (const point of SMALL_ORDER) {
        const signature = new Uint8Array(64)
        signature.set(point)
        const author = peerIdOf(key)
        const verdicts = await Promise.all([platform, alone].map((each) => each.verify(author, MESSAGE, signature)))
        expect(verdicts).toEqual([true, true])
        accepted++
      }
    }
    expect(accepted).toBe(196)
  })

  it('[S6] refuses a changed message, signature or author on every path', async () => {
    const signer = testSigner(1)
    const signature = await signer.sign(MESSAGE)
    for (const verifier of [platform, alone]) {
      expect(await verifier.verify(signer.author, MESSAGE, signature)).toBe(true)
      expect(await verifier.verify(signer.author, MESSAGE.subarray(1), signature)).toBe(false)
      expect(await verifier.verify(testSigner(2).author, MESSAGE, signature)).toBe(false)
      expect(await verifier.verify(signer.author, MESSAGE, signature.subarray(1))).toBe(false)
      const changed = signature.slice()
      changed[40] = (changed[40] ?? 0) ^ 1
      expect(await verifier.verify(signer.author, MESSAGE, changed)).toBe(false)
    }
  })

  it('refuses under a key that is no point', async () => {
    const noPoint = peerIdOf(new Uint8Array(32).fill(2))
    expect(() => ed25519.Point.fromBytes(new Uint8Array(32).fill(2))).toThrow()
    expect(await platform.verify(noPoint, MESSAGE, new Uint8Array(64))).toBe(false)
  })

  it('[S6] never hands the platform a key that crashes one', async () => {
    const imported: string[] = []
    const noting = new Proxy(crypto.subtle, {
      get: (subtle, name) => {
        const value = Reflect.get(subtle, name)
        if (name !== 'importKey') return typeof value === 'function' ? value.bind(subtle) : value
        return (format: 'raw', key: Uint8Array<ArrayBuffer>, ...rest: [string, boolean, KeyUsage[]]) => {
          imported.push(toHex(key))
          return subtle.importKey(format, key, ...rest)
        }
      },
    })
    const verifier = new PlatformVerifier(noting)
    const noPoint = new Uint8Array(32).fill(2)
    for (const key of [...SMALL_ORDER, noPoint]) await verifier.verify(peerIdOf(key), MESSAGE, new Uint8Array(64))
    expect(imported).toEqual([])
    const { author } = testSigner(5)
    await verifier.verify(author, MESSAGE, new Uint8Array(64))
    expect(imported).toEqual([toHex(publicKeyOf(author))])
  })

  it('verifies for more authors than it keeps keys for', { timeout: 60_000 }, async () => {
    let imports = 0
    const counting = new Proxy(crypto.subtle, {
      get: (subtle, name) => {
        if (name === 'importKey') imports++
        const value = Reflect.get(subtle, name)
        return typeof value === 'function' ? value.bind(subtle) : value
      },
    })
    const verifier = new PlatformVerifier(counting)
    const first = testSigner(3)
    const signature = await first.sign(MESSAGE)
    await verifier.verify(first.author, MESSAGE, signature)
    await verifier.verify(first.author, MESSAGE, signature)
    expect(imports).toBe(1)
    let point = ed25519.Point.BASE
    for (let i = 0; i < 1_024; i++) {
      point = point.add(ed25519.Point.BASE)
      await verifier.verify(peerIdOf(point.toBytes()), MESSAGE, new Uint8Array(64))
    }
    expect(await verifier.verify(first.author, MESSAGE, signature)).toBe(true)
    expect(imports).toBe(1_026)
  })
})
