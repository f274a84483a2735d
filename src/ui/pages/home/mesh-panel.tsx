import { Link } from 'wouter'
import { MeshGraph } from '../../parts/mesh-graph.tsx'
import { Panel } from '../../parts/panel.tsx'
import { useSnapshot } from '../../state/node-context.ts'
import { usePeers } from '../../state/peers.ts'

const WIDTH = 460
const HEIGHT = 176

export function MeshPanel() {
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  const { value } = usePeers()
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
