import { memo } from 'react'
import type { PeerInfo } from '../../node/contract.ts'
import { plural } from '../format/number.ts'
import { peerName } from '../format/peer-name.ts'
import { type GraphNode, layoutMesh } from './mesh-layout.ts'
import { PeerPicture } from './peer.tsx'
import './mesh-graph.css'

interface MeshGraphProps {
  readonly peers: readonly PeerInfo[]
  readonly self: string
  readonly width: number
  readonly height: number
  readonly named?: boolean
  readonly selected?: string | null
  readonly onSelect?: (peerId: string) => void
}

/** Who this device is connected to: solid lines are direct, dashed ones go through a relay, thicker ones carry more. */
export const MeshGraph = memo(function MeshGraph(props: MeshGraphProps) {
  const { peers, self, width, height, named = false, selected = null, onSelect } = props
  const { nodes, radius } = layoutMesh(peers, { width, height })
  const relay = nodes.find((node) => node.peer.kind === 'relay')
  const centre = { x: width / 2, y: height / 2 }
  return (
    <svg className="mesh" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={describe(peers)}>
      {nodes.map((node) => {
        const from = node.peer.kind === 'relayed' && relay !== undefined ? relay : centre
        return (
          <line
            key={node.peer.peerId}
            className={`mesh-edge mesh-edge-${node.peer.kind}`}
            x1={from.x}
            y1={from.y}
            x2={node.x}
            y2={node.y}
            strokeWidth={edgeWidth(node.peer)}
          />
        )
      })}
      <g transform={`translate(${centre.x - radius} ${centre.y - radius})`}>
        <circle className="mesh-self" cx={radius} cy={radius} r={radius + 4} />
        <PeerPicture peerId={self} size={radius * 2} />
      </g>
      {nodes.map((node) => (
        <MeshNode
          key={node.peer.peerId}
          node={node}
          radius={radius}
          named={named}
          selected={selected}
          onSelect={onSelect}
        />
      ))}
    </svg>
  )
})

interface MeshNodeProps {
  readonly node: GraphNode
  readonly radius: number
  readonly named: boolean
  readonly selected: string | null
  readonly onSelect: ((peerId: string) => void) | undefined
}

function MeshNode({ node, radius, named, selected, onSelect }: MeshNodeProps) {
  const { peer, x, y } = node
  const name = peer.kind === 'relay' ? 'relay' : peerName(peer.peerId)
  return (
    // The table beside the graph offers the same selection to the keyboard.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above
    <g
      className={onSelect === undefined ? undefined : 'mesh-node'}
      transform={`translate(${x - radius} ${y - radius})`}
      onClick={() => onSelect?.(peer.peerId)}
    >
      <title>{name}</title>
      {selected === peer.peerId ? (
        <rect className="mesh-selected" x={-4} y={-4} width={radius * 2 + 8} height={radius * 2 + 8} rx="7" />
      ) : null}
      {peer.kind === 'relay' ? (
        <path className="mesh-relay" d={`M${radius} 0L${radius * 2} ${radius}L${radius} ${radius * 2}L0 ${radius}z`} />
      ) : (
        <PeerPicture peerId={peer.peerId} size={radius * 2} />
      )}
      {named ? (
        <text className="mesh-name" x={radius} y={radius * 2 + 14} textAnchor="middle">
          {name.split(' ').at(-1)}
        </text>
      ) : null}
    </g>
  )
}

/** One to four pixels, by the order of magnitude of the bytes per second. */
function edgeWidth(peer: PeerInfo): number {
  const perSecond = peer.bytesInPerSecond + peer.bytesOutPerSecond
  return Math.min(4, 1 + Math.max(0, Math.log10(perSecond + 1) - 2) * 0.75)
}

function describe(peers: readonly PeerInfo[]): string {
  const direct = peers.filter((peer) => peer.kind === 'direct').length
  const relayed = peers.filter((peer) => peer.kind === 'relayed').length
  const relays = peers.filter((peer) => peer.kind === 'relay').length
  return `This device is connected to ${plural(direct, 'peer')} directly, ${plural(relayed, 'peer')} through a relay, and ${plural(relays, 'relay')}`
}
