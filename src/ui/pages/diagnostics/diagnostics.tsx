import { useCallback } from 'react'
import type { Diagnostics as Facts } from '../../../node/contract.ts'
import { bytes, count, duration, percent } from '../../format/number.ts'
import { DIAGNOSTICS_REFRESH_MS } from '../../limits.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode, useSessionView, useSnapshot } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { Fact } from '../job/receipt-card.tsx'
import { LogPanel } from './log-panel.tsx'
import { MetricsPanel } from './metrics-panel.tsx'
import { NetworkCheck } from './network-check.tsx'
import { RelaysTable } from './relays-table.tsx'
import '../job/unit-sheet.css'
import './diagnostics.css'

/** Why is it slow or alone. */
export function Diagnostics() {
  const node = useNode()
  const { value, error } = usePolled(
    useCallback(() => node.diagnostics(), [node]),
    DIAGNOSTICS_REFRESH_MS,
  )
  return (
    <div className="stack">
      <header className="page-head">
        <h1>Diagnostics</h1>
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="The node did not answer">
          {error}. What is shown may be old; Starling keeps asking.
        </Notice>
      )}
      <NetworkCheck />
      {value === null ? (
        <Panel title="This node">
          <Skeleton lines={8} />
        </Panel>
      ) : (
        <FactPanels facts={value} />
      )}
      <MetricsPanel />
      <LogPanel />
    </div>
  )
}

const CHANNEL_WORDS: Readonly<Record<string, string>> = {
  transferred: 'go straight to the node’s worker',
  forwarded: 'are forwarded by the page, since this browser cannot transfer channels',
  native: 'native to this peer',
}

function FactPanels({ facts }: { readonly facts: Facts }) {
  const { network, storage } = facts
  return (
    <>
      <div className="diagnostics-halves">
        <Panel title="Connection budget" note="browsers allow a tab a fixed number in its life">
          <Budget used={network.rtcConnectionsUsed} max={network.rtcConnectionsMax} />
        </Panel>
        <Panel title="Storage">
          <Storage {...storage} />
        </Panel>
      </div>
      <Panel title="Relays">
        <RelaysTable relays={network.relays} />
      </Panel>
      <ThisNode facts={facts} />
    </>
  )
}

function ThisNode({ facts }: { readonly facts: Facts }) {
  const peerId = useSnapshot((snapshot) => snapshot.peerId, '')
  const networkId = useSnapshot((snapshot) => snapshot.networkId, '')
  const startedAt = useSnapshot((snapshot) => snapshot.startedAt, 0)
  const role = useSessionView((view) => view.role)
  const { clockOffsetMs, channelTransfer, versions, network } = facts
  return (
    <Panel title="This node" actions={<CopyButton text={peerId} label="Copy peer id" />}>
      <div className="stack">
        <dl className="facts small">
          <Fact term="Peer">
            <Peer peerId={peerId} />
          </Fact>
          <Fact term="Runs in">{role === 'owner' ? 'this tab' : 'another tab of this browser'}</Fact>
          <Fact term="Started">
            <RelativeTime at={startedAt} />
          </Fact>
          <Fact term="Network">{networkId || 'unknown until a relay answers'}</Fact>
          <Fact term="Clock">
            {clockOffsetMs === null ? 'not compared yet' : `${duration(Math.abs(clockOffsetMs))} off the others`}
          </Fact>
          <Fact term="Bytes of channels">
            {channelTransfer === null ? 'no channel yet' : CHANNEL_WORDS[channelTransfer]}
          </Fact>
          <Fact term="Isolated from other sites">{facts.crossOriginIsolated ? 'yes' : 'no'}</Fact>
          {Object.entries(versions).map(([name, version]) => (
            <Fact key={name} term={name}>
              {version}
            </Fact>
          ))}
        </dl>
        <details>
          <summary>Addresses others can dial ({count(network.multiaddrs.length)})</summary>
          {network.multiaddrs.map((address) => (
            <p key={address} className="mono small address">
              {address}
            </p>
          ))}
        </details>
      </div>
    </Panel>
  )
}

function Budget({ used, max }: { readonly used: number; readonly max: number }) {
  return (
    <div className="stack stack-tight">
      <p>
        <strong>{count(used)}</strong> of {count(max)} used
      </p>
      <meter className="meter" min={0} max={max} high={max * 0.8} value={used} aria-label="Connection budget" />
      <p className="quiet small">
        Closed ones count until the browser clears them away. When it is used up, reload the tab.
      </p>
    </div>
  )
}

function Storage({ usedBytes, quotaBytes, persisted }: Facts['storage']) {
  return (
    <div className="stack stack-tight">
      <p>
        <strong>{bytes(usedBytes)}</strong>
        {quotaBytes === null ? ' used' : ` of ${bytes(quotaBytes)} used (${percent(usedBytes / quotaBytes)})`}
      </p>
      <meter className="meter" min={0} max={quotaBytes ?? usedBytes + 1} value={usedBytes} aria-label="Storage" />
      <p className="quiet small">
        {persisted === true
          ? 'The browser keeps it until you remove it.'
          : 'The browser may clear it when the device runs out of space. Installing the app makes that less likely.'}
      </p>
    </div>
  )
}
