import type { PeerInfo } from '../../node/contract.ts'

export interface GraphNode {
  readonly peer: PeerInfo
  readonly x: number
  readonly y: number
}

export interface MeshLayout {
  readonly nodes: readonly GraphNode[]
  /** Half the side of a node's picture. */
  readonly radius: number
}

/** More than this on one ring would touch. */
const RING_MAX = 14

/**
 * Places peers on ellipses around the middle, relays at the top. Order is by peer id, so that a peer keeps its neighbours when
 * others come and go.
 */
export function layoutMesh(
  peers: readonly PeerInfo[],
  { width, height }: { readonly width: number; readonly height: number },
): MeshLayout {
  const radius = peers.length > 2 * RING_MAX ? 8 : peers.length > RING_MAX ? 10 : 13
  const byId = [...peers].sort((a, b) => (a.peerId < b.peerId ? -1 : 1))
  const ordered = [...byId.filter((peer) => peer.kind === 'relay'), ...byId.filter((peer) => peer.kind !== 'relay')]
  const rings = Math.ceil(ordered.length / RING_MAX)
  const margin = radius + 20
  const nodes = ordered.map((peer, at) => {
    const reach = rings <= 1 ? 1 : 0.55 + (0.45 * (at % rings)) / (rings - 1)
    const angle = (2 * Math.PI * at) / ordered.length - Math.PI / 2
    return {
      peer,
      x: width / 2 + Math.cos(angle) * (width / 2 - margin) * reach,
      y: height / 2 + Math.sin(angle) * (height / 2 - margin) * reach,
    }
  })
  return { nodes, radius }
}
