import type { PeerInfo } from '../../../node/contract.ts'
import { bytes, count, duration, percentOf } from '../../format/number.ts'
import { peerName } from '../../format/peer-name.ts'
import { exclusionWords } from '../../format/problems.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { PeerPicture } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { Fact } from '../job/receipt-card.tsx'
import { PATH_WORDS } from './path-words.ts'
import '../job/unit-sheet.css'

/** The selected peer, whole. */
export function PeerDetails({ peer }: { readonly peer: PeerInfo | null }) {
  if (peer === null) {
    return (
      <Panel title="Selected peer">
        <p className="quiet small">
          Choose a peer in the graph or the table to see its address, its agent and what it did.
        </p>
      </Panel>
    )
  }
  return (
    <Panel title="Selected peer">
      <div className="stack">
        <div className="row">
          <PeerPicture peerId={peer.peerId} size={40} />
          <div className="grow">
            <strong>{peerName(peer.peerId)}</strong>
            <p className="quiet small">{PATH_WORDS[peer.kind].meaning}</p>
          </div>
        </div>
        <dl className="facts small">
          <Fact term="Transport">{peer.transport}</Fact>
          <Fact term="Round trip">{peer.rttMs === null ? 'not measured yet' : duration(peer.rttMs)}</Fact>
          <Fact term="Connected">
            <RelativeTime at={peer.connectedAt} />
          </Fact>
          <Fact term="Moved">
            {bytes(peer.bytesIn)} in, {bytes(peer.bytesOut)} out
          </Fact>
          <Fact term="Units for us">
            {count(peer.unitsDone)} done, {percentOf(peer.unitsVerified, peer.unitsDone)} verified,{' '}
            {count(peer.unitsFailed)} failed
          </Fact>
          <Fact term="Agent">{peer.agent ?? 'not told'}</Fact>
        </dl>
        {peer.excludedBecause === null ? null : (
          <p className="receipt-differs small">Gets no more units: {exclusionWords(peer.excludedBecause)}</p>
        )}
        {peer.lastError === null ? null : <p className="small">Last error: {peer.lastError}</p>}
        <p className="mono small peer-address">{peer.remoteAddress}</p>
        <div className="row">
          <CopyButton text={peer.peerId} label="Copy peer id" />
        </div>
      </div>
    </Panel>
  )
}
