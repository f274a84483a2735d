import { useCallback } from 'react'
import type { PeerInfo } from '../../node/contract.ts'
import { PEERS_REFRESH_MS } from '../limits.ts'
import { useNode, useSnapshot } from './node-context.ts'
import { type Polled, usePolled } from './polled.ts'

/** Who is connected, asked for again and again, and at once when somebody comes or goes: never behind the count in the frame. */
export function usePeers(): Polled<readonly PeerInfo[]> {
  const node = useNode()
  const links = useSnapshot(({ network }) => `${network.direct}+${network.relayed}`, '')
  // biome-ignore lint/correctness/useExhaustiveDependencies: with new links there is something new to read
  const read = useCallback(() => node.peers(), [node, links])
  return usePolled(read, PEERS_REFRESH_MS)
}
