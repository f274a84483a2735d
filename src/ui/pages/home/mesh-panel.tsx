import { useCallback } from 'react'
import { Link } from 'wouter'
import { PEERS_REFRESH_MS } from '../../limits.ts'
import { MeshGraph } from '../../parts/mesh-graph.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'

const WIDTH = 460
const HEIGHT = 176

export function MeshPanel() {
  const node = useNode()
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  const { value } = usePolled(
    useCallback(() => node.peers(), [node]),
    PEERS_REFRESH_MS,
  )
  const alone = value !== null && !value.some((peer) => peer.kind !== 'relay')
  return (
    <Panel
      title="Mesh"
      note={alone ? 'Nobody else yet: share the link below' : undefined}
      actions={<Link href="/peers">All peers</Link>}
    >
      <MeshGraph peers={value ?? []} self={self} width={WIDTH} height={HEIGHT} />
    </Panel>
  )
}
