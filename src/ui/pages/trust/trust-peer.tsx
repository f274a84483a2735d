import { useCallback, useMemo } from 'react'
import { Link } from 'wouter'
import type { TrustHistory } from '../../../node/trust-contract.ts'
import { count, plural } from '../../format/number.ts'
import { peerName } from '../../format/peer-name.ts'
import { causeWords, eventWords, quotaWords, scoreCell, scoreWords, TIER_WORDS } from '../../format/trust.ts'
import { TRUST_POINTS_SHOWN_MAX, TRUST_REFRESH_MS } from '../../limits.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Empty, Figure, Figures, Notice, PageSkeleton, Panel } from '../../parts/panel.tsx'
import { Peer, PeerPicture } from '../../parts/peer.tsx'
import { Plot } from '../../parts/plot.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { BlacklistAction } from './blacklist-dialog.tsx'
import './trust.css'

const twoDigits = (value: number): string => value.toFixed(2)

/** One peer: its score over time, what moved it, what others say, and the evidence. */
export function TrustPeer({ rootId }: { readonly rootId: string }) {
  const node = useNode()
  const read = useCallback(async () => ({ history: await node.trustHistory(rootId) }), [node, rootId])
  const { value, error, reload } = usePolled(read, TRUST_REFRESH_MS)
  if (value === null) return <PageSkeleton />
  if (value.history === null) {
    return (
      <Empty title="Nothing is known of this peer" whole action={<Link href="/trust">All peers</Link>}>
        It never worked for this device, or that was so long ago that it was forgotten.
      </Empty>
    )
  }
  return <Whole history={value.history} error={error} onChange={reload} />
}

interface WholeProps {
  readonly history: TrustHistory
  readonly error: string | null
  readonly onChange: () => void
}

function Whole({ history, error, onChange }: WholeProps) {
  const { entry } = history
  const tier = TIER_WORDS[entry.tier]
  return (
    <div className="stack">
      <p className="small">
        <Link href="/trust">Trust</Link>
      </p>
      <header className="page-head">
        <PeerPicture peerId={entry.rootId} size={32} />
        <h1 className="grow">{peerName(entry.rootId)}</h1>
        <BlacklistAction entry={entry} onDone={onChange} />
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="This may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      {entry.blacklisted === null ? null : <BarredNotice history={history} />}
      <Figures>
        <Figure value={scoreWords(entry.score)} label="Score here" note="quality, 0 to 1" />
        <Figure value={scoreWords(entry.blended)} label="With others' word" note="decides who is asked" />
        <Figure value={count(entry.standing)} label="Standing" note={tier.word} title={tier.meaning} />
        <Figure value={count(entry.tasks.good)} label="Good tasks" note={`${count(entry.tasks.bad)} bad`} />
      </Figures>
      <ScorePlot points={history.points} />
      <div className="trust-columns">
        <Causes points={history.points} />
        <Panel title="Kinds of work" note={plural(entry.byCategory.length, 'kind')}>
          <Categories history={history} />
        </Panel>
      </div>
      <Attestations attestations={history.attestations} />
      <Evidence evidence={history.evidence} />
      <Panel title="Identity">
        <div className="stack small">
          <p className="mono trust-id">{entry.rootId}</p>
          <p className="quiet">
            {plural(entry.devices.length, 'device')}, first seen <RelativeTime at={entry.firstSeenAt} />,{' '}
            {quotaWords(entry.quota)} tasks this hour, {count(entry.quota.connectionsMax)} of its devices linked at most
          </p>
          <div className="row">
            <CopyButton text={entry.rootId} label="Copy root id" />
          </div>
        </div>
      </Panel>
    </div>
  )
}

function BarredNotice({ history }: { readonly history: TrustHistory }) {
  const { blacklisted } = history.entry
  if (blacklisted === null) return null
  return (
    <Notice tone="warning" title="Blacklisted: it gets no work and cannot connect">
      {blacklisted.reason}.{' '}
      {blacklisted.until === null ? (
        'It stays so until you lift it.'
      ) : (
        <>
          It ends <RelativeTime at={blacklisted.until} />; then the peer begins on trial.
        </>
      )}
    </Notice>
  )
}

function ScorePlot({ points }: { readonly points: TrustHistory['points'] }) {
  const { x, score, standing } = useMemo(
    () => ({
      x: points.map(({ at }) => at / 1_000),
      score: points.map((point) => point.score),
      standing: points.map((point) => point.standing / 1_000),
    }),
    [points],
  )
  const last = points.at(-1)
  if (last === undefined) return null
  return (
    <Panel title="Over time" note="score, and standing in thousands">
      <Plot
        label={`Score and standing over time, now ${last.score.toFixed(2)} and ${last.standing}`}
        x={x}
        series={[
          { name: 'Score', values: score },
          { name: 'Standing / 1,000', values: standing },
        ]}
        height={200}
        format={twoDigits}
      />
    </Panel>
  )
}

function Causes({ points }: { readonly points: TrustHistory['points'] }) {
  const shown = points.slice(-TRUST_POINTS_SHOWN_MAX).reverse()
  return (
    <Panel title="What moved it" note="newest first">
      {shown.length === 0 ? (
        <p className="quiet small">Nothing yet.</p>
      ) : (
        <ol
          className="trust-causes small"
          aria-label="What moved it, newest first"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          {shown.map(({ at, score, standing, cause }) => (
            <li key={`${at} ${cause}`} className="row">
              <span className="grow">{causeWords(cause)}</span>
              <span className="quiet">
                {twoDigits(score)} · {count(standing)}
              </span>
              <span className="trust-when quiet">
                <RelativeTime at={at} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  )
}

type Category = TrustHistory['entry']['byCategory'][number]

const categoryColumns: readonly Column<Category>[] = [
  {
    header: 'Kind',
    className: 'trust-kind truncate',
    cell: ({ category }) => (category === '' ? 'unnamed' : category),
  },
  { header: 'Tasks', number: true, cell: ({ tasks }) => count(tasks) },
  { header: 'Score', number: true, cell: ({ score }) => scoreCell(score) },
]

function Categories({ history }: { readonly history: TrustHistory }) {
  const { byCategory } = history.entry
  if (byCategory.length === 0) return <p className="quiet small">None yet.</p>
  return (
    <Table
      label="Table of kinds of work"
      columns={categoryColumns}
      rows={byCategory}
      rowKey={({ category }) => category}
    />
  )
}

type Attestation = TrustHistory['attestations'][number]

const attestationColumns: readonly Column<Attestation>[] = [
  { header: 'By', cell: ({ by }) => <Peer peerId={by} /> },
  { header: 'Score', number: true, cell: ({ score }) => twoDigits(score) },
  { header: 'Tasks', number: true, cell: ({ tasks }) => count(tasks) },
  { header: 'Weight', number: true, cell: ({ weight }) => weight.toFixed(3) },
  { header: 'Said', cell: ({ at }) => <RelativeTime at={at} /> },
]

function Attestations({ attestations }: Pick<TrustHistory, 'attestations'>) {
  return (
    <Panel title="What others say" note={plural(attestations.length, 'attestation')}>
      {attestations.length === 0 ? (
        <p className="quiet small">Nobody who is connected has said anything of this peer.</p>
      ) : (
        <Table
          label="Attestations of others"
          columns={attestationColumns}
          rows={attestations}
          rowKey={({ by }) => by}
        />
      )}
    </Panel>
  )
}

function Evidence({ evidence }: Pick<TrustHistory, 'evidence'>) {
  return (
    <Panel title="Evidence" note={plural(evidence.length, 'event')}>
      {evidence.length === 0 ? (
        <p className="quiet small">No signed evidence against this peer is kept here.</p>
      ) : (
        <ul className="stack small">
          {evidence.map((event) => (
            <li key={event.id} className="stack stack-tight">
              <span className="row">
                <strong className="grow">{eventWords(event.type)}</strong>
                <span className="quiet">
                  <RelativeTime at={event.at} />
                </span>
              </span>
              <span>{event.message}</span>
              <Link href={`/security?event=${event.id}`}>
                {plural(event.evidence.length, 'piece')} in the security log
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}
