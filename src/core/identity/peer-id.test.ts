import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner } from '../../testing/signers.ts'
import { StarlingError } from '../codec/errors.ts'
import { isPeerId, peerIdOf, publicKeyOf } from './peer-id.ts'

describe('peerIdOf', () => {
  it('gives the id that libp2p gives', () => {
    for (let index = 0; index < 8; index++) {
      const { author } = testSigner(index)
      const key = publicKeyOf(author)
      expect(author).toBe(peerIdFromPublicKey(publicKeyFromRaw(key)).toString())
    }
  })

  it('gives the key back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        expect(publicKeyOf(peerIdOf(key))).toEqual(key)
        expect(isPeerId(peerIdOf(key))).toBe(true)
      }),
    )
  })

  it('refuses other texts and lengths by name', () => {
    expect(() => peerIdOf(new Uint8Array(31))).toThrow(StarlingError)
    fc.assert(fc.property(fc.string({ minLength: 50, maxLength: 54 }), (text) => !isPeerId(text)))
    const good = testSigner(1).author
    for (const bad of [good.slice(1), `${good}1`, `2${good.slice(1)}`, good.replace(/.$/, '0'), `Qm${good.slice(2)}`]) {
      expect(() => publicKeyOf(bad)).toThrow(StarlingError)
    }
  })
})
