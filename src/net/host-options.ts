import { gossipsub } from '@libp2p/gossipsub'
import type { ConnectionGater, PeerId } from '@libp2p/interface'
import { GOSSIP_BYTES_MAX } from './limits.ts'

/** A fresh list each time: libp2p fills in defaults in place. */
export function rtcConfigurationOf(iceServers: readonly RTCIceServer[]): RTCConfiguration {
  return { iceServers: [...iceServers] }
}

/** Whom to dial is decided by the upkeep of the mesh; libp2p's browser default refuses loopback and plain ws. */
export const OPEN_GATER: ConnectionGater = { denyDialMultiaddr: () => false }

/** The same, but for peers that are kept out: they are not dialled, and let go as soon as it is known who they are. */
export function gaterOf(isKeptOut: (peer: string) => boolean = () => false): ConnectionGater {
  const keptOut = (peer: PeerId): boolean => isKeptOut(peer.toString())
  return { ...OPEN_GATER, denyDialPeer: keptOut, denyInboundEncryptedConnection: keptOut }
}

/**
 * Gossip for small announcements.
 *
 * No score for peers that share an address: behind one NAT or on loopback that is everyone, and the mesh would be
 * pruned to nothing. Messages are signed by their authors; nobody is told off for being the only subscriber.
 */
export function announcementGossip(overrides: Parameters<typeof gossipsub>[0] = {}) {
  return gossipsub({
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    // Announcements are few and small: everyone who is connected hears them at once.
    floodPublish: true,
    maxInboundDataLength: GOSSIP_BYTES_MAX,
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
    ...overrides,
  })
}
