import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { cidOf, cidOfHash, cidOfLarge, isCid, parseCid } from './cid.ts'
import { StarlingError } from './errors.ts'
import { sha256Bytes, sha256Hex } from './hash.ts'

describe('cidOf', () => {
  it('[C6] gives the id that multiformats gives', async () => {
    const block = new TextEncoder().encode('a block')
    expect(cidOf(block, 'raw')).toBe(CID.createV1(raw.code, await sha256.digest(block)).toString())
    expect(cidOf(block, 'dag-cbor')).toBe(CID.createV1(0x71, await sha256.digest(block)).toString())
    expect(cidOfHash(sha256Hex(block))).toBe(cidOf(block, 'dag-cbor'))
  })

  it('gives the same id with the platform hasher', async () => {
    const block = new Uint8Array(100)
    const hasher = { sha256: async (bytes: Uint8Array) => sha256Bytes(bytes) }
    expect(await cidOfLarge(block, { codec: 'raw', hasher })).toBe(cidOf(block, 'raw'))
  })
})

describe('parseCid', () => {
  it('gives codec and hash back', () => {
    const block = Uint8Array.of(1, 2, 3)
    expect(parseCid(cidOf(block, 'raw'))).toMatchObject({ codec: 'raw', hash: sha256Hex(block) })
  })

  it.each([
    ['version 0', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'],
    ['another base', `z${'1'.repeat(58)}`],
    ['capitals', cidOf(Uint8Array.of(1), 'raw').toUpperCase()],
    ['another codec', CID.createV1(0x70, CID.parse(cidOf(Uint8Array.of(1), 'raw')).multihash).toString()],
    ['spare bits set', `${cidOf(Uint8Array.of(1), 'raw').slice(0, -1)}b`],
    ['nothing', ''],
  ])('[C6] refuses %s', (_, text) => {
    expect(() => parseCid(text)).toThrow(StarlingError)
    expect(isCid(text)).toBe(false)
  })

  it('refuses random text only with named errors', () => {
    fc.assert(fc.property(fc.string({ minLength: 55, maxLength: 62 }), (text) => !isCid(text)))
  })
})
