import { memo } from 'react'
import { identicon, peerName } from '../format/peer-name.ts'
import './peer.css'

interface PeerProps {
  readonly peerId: string
  /** True for this device's own peer. */
  readonly self?: boolean
  readonly plain?: boolean
}

/** A peer as people tell them apart: picture and three words; the whole id on hover. */
export const Peer = memo(function Peer({ peerId, self = false, plain = false }: PeerProps) {
  return (
    <span className="peer" title={peerId}>
      {plain ? null : <PeerPicture peerId={peerId} />}
      <span className="truncate">{self ? 'This device' : peerName(peerId)}</span>
    </span>
  )
})

export const PeerPicture = memo(function PeerPicture({
  peerId,
  size = 20,
}: {
  readonly peerId: string
  readonly size?: number
}) {
  const { hue, cells } = identicon(peerId)
  return (
    <svg className={`peer-picture peer-hue-${hue}`} viewBox="0 0 7 7" width={size} height={size} aria-hidden="true">
      <rect width="7" height="7" rx="1.4" className="peer-picture-ground" />
      {cells.map((on, at) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
        on ? <rect key={at} x={1 + (at % 5)} y={1 + Math.floor(at / 5)} width="1.02" height="1.02" /> : null,
      )}
    </svg>
  )
})
