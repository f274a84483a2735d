import type { Connection } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { Diversity } from '../core/admission/diversity.ts'
import { SUBNET_SHARE_PPM } from '../core/admission/limits.ts'
import { testSigner } from '../testing/signers.ts'
import { DiversityGuard, originOf } from './diversity-guard.ts'
import { remoteAddressIn } from './rtc/selected-address.ts'

const RELAY = testSigner(1).author
const PEER = testSigner(2).author

/** A WebRTC connection that was signalled through a relay and runs to `address`. */
function webrtc(address: string | null): Connection {
  const stats = new Map<string, object>([
    ['t', { id: 't', type: 'transport', selectedCandidatePairId: 'p2' }],
    ['p1', { id: 'p1', type: 'candidate-pair', nominated: true, state: 'succeeded', remoteCandidateId: 'r1' }],
    ['p2', { id: 'p2', type: 'candidate-pair', remoteCandidateId: 'r2' }],
    ['r1', { id: 'r1', type: 'remote-candidate', address: '198.51.100.9' }],
    ['r2', { id: 'r2', type: 'remote-candidate', address }],
  ])
  const remoteAddr = `/ip4/192.0.2.1/tcp/443/tls/ws/p2p/${RELAY}/p2p-circuit/webrtc/p2p/${PEER}`
  return connection(remoteAddr, { peerConnection: { getStats: async () => stats } })
}

function connection(remoteAddr: string, maConn: object = {}): Connection {
  return { remoteAddr: { toString: () => remoteAddr }, maConn } as unknown as Connection
}

describe('[A15] where a connection comes from', () => {
  it('is the selected pair’s remote candidate, not the relay that signalled it', async () => {
    expect(await originOf(webrtc('203.0.113.5'))).toEqual({ kind: 'address', address: '203.0.113.5' })
    expect(await originOf(webrtc(null))).toEqual({ kind: 'address', address: '' })
    expect(await originOf(connection('/x/p2p-circuit/webrtc'))).toEqual({ kind: 'address', address: '' })
  })

  it('is the relay of a relayed one, and the address of a direct one', async () => {
    const relayed = `/ip4/192.0.2.1/tcp/443/tls/ws/p2p/${RELAY}/p2p-circuit/p2p/${PEER}`
    expect(await originOf(connection(relayed))).toEqual({ kind: 'relay', relay: RELAY })
    const direct = '/ip4/203.0.113.5/udp/4001/webrtc-direct/certhash/u/p2p/x'
    expect(await originOf(connection(direct))).toEqual({ kind: 'address', address: '203.0.113.5' })
  })

  it('is found in Firefox too, which marks the pair', () => {
    const stats = [
      { id: 'a', type: 'candidate-pair', nominated: true, state: 'succeeded', remoteCandidateId: 'x' },
      { id: 'b', type: 'candidate-pair', selected: true, remoteCandidateId: 'y' },
      { id: 'x', type: 'remote-candidate', address: '198.51.100.1' },
      { id: 'y', type: 'remote-candidate', address: '203.0.113.5' },
    ]
    expect(remoteAddressIn(stats)).toBe('203.0.113.5')
    expect(remoteAddressIn([])).toBe(null)
  })

  it('is a name of the local network where the browser hides a host, and unknown where it hides anything else', () => {
    const hidden = (candidateType: string) =>
      remoteAddressIn([
        { id: 'p', type: 'candidate-pair', selected: true, remoteCandidateId: 'r' },
        { id: 'r', type: 'remote-candidate', candidateType, address: '' },
      ])
    expect(hidden('host')).toBe('hidden.local')
    expect(hidden('prflx')).toBe(null)
    expect(hidden('srflx')).toBe(null)
  })
})

describe('[A15] the guard', () => {
  it('lets go of the link above the share of its subnet, and takes one again when another left', async () => {
    const links = new Map<string, Connection>()
    const full: string[] = []
    const guard = new DiversityGuard({
      diversity: new Diversity({ sharePpm: SUBNET_SHARE_PPM, exemptPrivate: true }),
      connectionOf: (peer) => links.get(peer),
      onFull: (peer, { name }) => full.push(`${peer} ${name}`),
      retryMs: 5,
    })
    const link = async (peer: string, address: string): Promise<void> => {
      links.set(peer, webrtc(address))
      await guard.linked(peer)
    }
    await link('a', '203.0.113.5')
    await link('b', '203.0.113.6')
    expect(full).toEqual(['b SubnetFullError'])
    await link('c', '192.168.1.7')
    await link('d', '192.168.1.8')
    guard.unlinked('a')
    links.delete('a')
    await link('e', '203.0.113.7')
    expect(full).toHaveLength(1)
  })

  it('waits for an address that the browser does not say yet, and counts what it never says as unknown', async () => {
    const full: string[] = []
    const hidden = ['a', 'b', 'c', 'd']
    const connections = new Map(['late', ...hidden].map((peer) => [peer, webrtc(null)]))
    const diversity = new Diversity({ sharePpm: SUBNET_SHARE_PPM, exemptPrivate: true })
    const guard = new DiversityGuard({
      diversity,
      connectionOf: (peer) => connections.get(peer),
      onFull: (peer) => full.push(peer),
      retryMs: 5,
    })
    const late = guard.linked('late')
    const stats = webrtc('203.0.113.5') as unknown as { maConn: object }
    Object.assign(connections.get('late') as object, { maConn: stats.maConn })
    await late
    expect(diversity.count('203.0.113.0/24')).toBe(1)
    for (const peer of hidden) await guard.linked(peer)
    expect(diversity.count('unknown')).toBe(3)
    expect(full).toEqual(['d'])
  })
})
