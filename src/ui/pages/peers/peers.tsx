import { useCallback, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { PeerInfo } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { networkSentence } from '../../format/reasons.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/controls.tsx'
import { MeshGraph } from '../../parts/mesh-graph.tsx'
import { Empty, Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { act, say } from '../../parts/toasts.tsx'
import { useMedia } from '../../state/media.ts'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { usePeers } from '../../state/peers.ts'
import { PeerDetails } from './peer-details.tsx'
import { PeersTable } from './peers-table.tsx'
import './peers.css'

const GRAPH_WIDE = { width: 640, height: 300 }
/** Names stay legible when the graph is as narrow as a phone. */
const GRAPH_PHONE = { width: 340, height: 280 }

/** Who is connected: one selection, seen as a graph and as a table. */
export function Peers() {
  const { value, error } = usePeers()
  const [params, setParams] = useSearchParams()
  const selected = params.get('peer')
  const select = useCallback(
    (peerId: string): void =>
      setParams((last) => (last.get('peer') === peerId ? {} : { peer: peerId }), { replace: true }),
    [setParams],
  )
  const state = useSnapshot((snapshot) => networkSentence(snapshot, Date.now()).text, '')
  return (
    <div className="stack">
      <header className="page-head">
        <h1>Peers</h1>
        <p className="quiet small grow truncate">{state}</p>
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="The list may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      {value === null ? <Skeleton lines={14} /> : <PeerViews peers={value} selected={selected} onSelect={select} />}
      <DialForm />
    </div>
  )
}

interface PeerViewsProps {
  readonly peers: readonly PeerInfo[]
  readonly selected: string | null
  readonly onSelect: (peerId: string) => void
}

function PeerViews({ peers, selected, onSelect }: PeerViewsProps) {
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  const graph = useMedia('(max-width: 767px)') ? GRAPH_PHONE : GRAPH_WIDE
  if (peers.length === 0) {
    return (
      <Empty title="Nobody is connected yet" action={<Link href="/">Invite others</Link>}>
        Peers appear here as soon as this tab finds its relay and another tab opens the same link. If it stays empty,{' '}
        <Link href="/diagnostics">Diagnostics</Link> checks the network.
      </Empty>
    )
  }
  const chosen = peers.find((peer) => peer.peerId === selected)
  return (
    <>
      <div className="peers-top">
        <Panel title="Mesh" note={plural(peers.length, 'connection')}>
          <MeshGraph peers={peers} self={self} {...graph} named selected={selected} onSelect={onSelect} />
        </Panel>
        <PeerDetails peer={chosen ?? null} />
      </div>
      <Panel title="Connections">
        <PeersTable peers={peers} selected={selected} onSelect={onSelect} />
      </Panel>
    </>
  )
}

/** For operators: connect to an address or a peer id by hand. */
function DialForm() {
  const node = useNode()
  const [target, setTarget] = useState('')
  const dial = (): void =>
    act('Connecting', async () => {
      await node.dial(target.trim())
      say('Connected')
      setTarget('')
    })
  return (
    <details>
      <summary>Connect to a peer by its address</summary>
      <form
        className="row dial"
        onSubmit={(event) => {
          event.preventDefault()
          dial()
        }}
      >
        <Field label="Multiaddr or peer id" note="Starling finds peers by itself; this is for trying one out">
          {(ids) => (
            <input {...ids} className="input mono" value={target} onChange={(event) => setTarget(event.target.value)} />
          )}
        </Field>
        <Button type="submit" disabled={target.trim() === ''}>
          Connect
        </Button>
      </form>
    </details>
  )
}
