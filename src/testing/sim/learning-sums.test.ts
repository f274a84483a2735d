/** Goal: what the simulator holds secure sums against sees each promise broken that it is there for. */
import { describe, expect, it } from 'vitest'
import { encode } from '../../core/codec/cbor.ts'
import { cidOf } from '../../core/codec/cid.ts'
import { sha256Bytes, sha256Hex } from '../../core/codec/hash.ts'
import type { Hash, PeerId } from '../../core/codec/ids.ts'
import type { SecureSumContent } from '../../core/learning/secure-sum/messages.ts'
import { sumPeers } from '../secure-sum-room.ts'
import { SumTruth } from './learning-sums.ts'

const peers = sumPeers(4) as [PeerId, PeerId, PeerId, PeerId]
const [first, second] = peers
const base = sha256Hex(new Uint8Array([1]))
const session = sha256Hex(new Uint8Array([2]))
const digest = new Uint8Array(32)
const roster = {
  session,
  stage: 'share' as const,
  entries: peers.map((peer) => ({ peer, digest })),
}

function truth(hostile: readonly PeerId[] = []): SumTruth {
  const made = new SumTruth({
    violated: (what) => {
      throw new Error(what)
    },
    isHonest: (peer) => !hostile.includes(peer),
  })
  made.said(base, first, { kind: 'secure-sum-roster', body: roster })
  for (const peer of peers) {
    made.offered(base, peer, Int32Array.of(1, 2))
    const body = { session, roster: sha256Bytes(encode(roster)), boxes: digest, commitments: digest }
    made.said(base, peer, { kind: 'secure-sum-shares', body })
  }
  return made
}

function unmask(sides: { own?: PeerId; pair?: PeerId }): SecureSumContent {
  const shares = (of: PeerId | undefined) => (of === undefined ? [] : [{ of, share: digest }])
  return {
    kind: 'secure-sum-unmask',
    body: { session, roster: digest, own: shares(sides.own), pair: shares(sides.pair) },
  }
}

const masked = (of: Hash): SecureSumContent => ({
  kind: 'secure-sum-masked',
  body: { session: of, roster: digest, length: 2, valuesHash: session },
})

const updatesOf = (contributors: readonly PeerId[]) =>
  contributors.map((peer) => ({ peer, update: cidOf(encode(peer), 'raw') }))

describe('the truth about secure sums', () => {
  it('is content with a sum as it should be', () => {
    const seen = truth()
    for (const peer of peers) {
      seen.said(base, peer, masked(session))
      seen.said(base, peer, unmask({ own: second }))
    }
    seen.found(base, updatesOf(peers), Int32Array.of(4, 8))
    seen.found(base, updatesOf(peers), Int32Array.of(4, 8))
    expect(seen.summed).toBe(1)
  })

  it('sees an update that is masked twice in a round', () => {
    const seen = truth()
    seen.said(base, second, masked(session))
    expect(() => seen.said(base, second, masked(base))).toThrow('[masked-once]')
  })

  it('sees both shares of one dealer, from one holder or from too many', () => {
    const both = truth()
    both.said(base, second, unmask({ own: first }))
    expect(() => both.said(base, second, unmask({ pair: first }))).toThrow('[no-exposure]')
    // A hostile holder has both; two honest ones that answer differently make it three of three.
    const [, , third, hostile] = peers
    const among = truth([hostile])
    for (const peer of [first, second]) among.said(base, peer, unmask({ own: third }))
    among.said(base, third, unmask({ pair: third }))
    expect(() => {
      for (const peer of [first, second]) among.said(base, peer, unmask({ pair: third }))
    }).toThrow('[no-exposure]')
  })

  it('sees a sum that is not the plain one, one of too few, and two that overlap', () => {
    expect(() => truth().found(base, updatesOf(peers), Int32Array.of(4, 9))).toThrow('[exact-sum]')
    expect(() => truth().found(base, updatesOf(peers.slice(2)), Int32Array.of(2, 4))).toThrow('[no-exposure]')
    const seen = truth()
    seen.found(base, updatesOf(peers), Int32Array.of(4, 8))
    expect(() => seen.found(base, updatesOf(peers.slice(1)), Int32Array.of(3, 6))).toThrow('[no-exposure] two sums')
  })

  it('sees two models of one set', () => {
    const seen = truth()
    seen.merged(base, updatesOf(peers), cidOf(digest, 'raw'))
    expect(() => seen.merged(base, updatesOf(peers), cidOf(encode(1), 'raw'))).toThrow('[same-bytes]')
  })
})
