import { useCallback } from 'react'
import { Link } from 'wouter'
import type { TrustEntry } from '../../../node/trust-contract.ts'
import { count, plural } from '../../format/number.ts'
import { groundWords, quotaWords, scoreCell, TIER_WORDS } from '../../format/trust.ts'
import { TRUST_REFRESH_MS } from '../../limits.ts'
import { Empty, Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { BlacklistAction } from './blacklist-dialog.tsx'
import './trust.css'

/** Everyone this peer has dealt with, and what it thinks of them. */
export function Trust() {
  const node = useNode()
  const { value, error, reload } = usePolled(
    useCallback(() => node.trustEntries(), [node]),
    TRUST_REFRESH_MS,
  )
  return (
    <div className="stack">
      <header className="page-head">
        <h1>Trust</h1>
        <p className="quiet small grow">Judged by this device, from what was done for its own jobs</p>
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="The list may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      {value === null ? <Skeleton lines={10} /> : <Lists entries={value} onChange={reload} />}
    </div>
  )
}

function Lists({ entries, onChange }: { readonly entries: readonly TrustEntry[]; readonly onChange: () => void }) {
  if (entries.length === 0) {
    return (
      <Empty title="Nobody has worked for you yet" action={<Link href="/run">Run something</Link>}>
        Peers appear here once they run units of your jobs: how well they did, how fast, and what others say of them.
      </Empty>
    )
  }
  const barred = entries.filter(({ blacklisted }) => blacklisted !== null)
  return (
    <>
      <Panel title="Peers" note={plural(entries.length, 'peer')}>
        <EntriesTable entries={entries} />
      </Panel>
      <Panel title="Blacklist" note={barred.length === 0 ? 'nobody' : plural(barred.length, 'peer')}>
        {barred.length === 0 ? (
          <p className="quiet small">
            A peer is put here by itself when its score falls below 0.30 or when a result of it is proved wrong, and by
            you on its page.
          </p>
        ) : (
          <ul className="stack">
            {barred.map((entry) => (
              <BarredRow key={entry.rootId} entry={entry} onChange={onChange} />
            ))}
          </ul>
        )}
      </Panel>
    </>
  )
}

const columns: readonly Column<TrustEntry>[] = [
  { header: 'Peer', cell: ({ rootId }) => <PeerLink rootId={rootId} /> },
  { header: 'Tier', cell: ({ tier }) => TIER_WORDS[tier].word, title: ({ tier }) => TIER_WORDS[tier].meaning },
  { header: 'Standing', number: true, cell: ({ standing }) => count(standing) },
  { header: 'Score', number: true, cell: ({ blended }) => scoreCell(blended) },
  { header: 'Good', number: true, cell: ({ tasks }) => count(tasks.good) },
  { header: 'Bad', number: true, cell: ({ tasks }) => count(tasks.bad) },
  { header: 'Tasks this hour', number: true, cell: ({ quota }) => quotaWords(quota) },
  {
    header: 'Last task',
    cell: ({ lastTaskAt }) => (lastTaskAt === null ? 'never' : <RelativeTime at={lastTaskAt} />),
  },
  { header: 'State', cell: (entry) => <StateWord entry={entry} /> },
]

function EntriesTable({ entries }: { readonly entries: readonly TrustEntry[] }) {
  return <Table label="Table of peers" columns={columns} rows={entries} rowKey={({ rootId }) => rootId} />
}

function PeerLink({ rootId }: { readonly rootId: string }) {
  return (
    <Link href={`/trust/${rootId}`} className="trust-link">
      <Peer peerId={rootId} />
    </Link>
  )
}

function StateWord({ entry }: { readonly entry: TrustEntry }) {
  if (entry.blacklisted !== null) return <span className="trust-barred">Blacklisted</span>
  return entry.blended === null ? <span className="quiet">On trial</span> : 'Judged'
}

function BarredRow({ entry, onChange }: { readonly entry: TrustEntry; readonly onChange: () => void }) {
  const { blacklisted } = entry
  if (blacklisted === null) return null
  return (
    <li className="row row-wrap trust-barred-row">
      <span className="grow stack stack-tight">
        <PeerLink rootId={entry.rootId} />
        <span className="small">
          {groundWords(blacklisted.by)}: {blacklisted.reason}
        </span>
        <span className="quiet small">
          Since <RelativeTime at={blacklisted.since} />,{' '}
          {blacklisted.until === null ? (
            'until you lift it'
          ) : (
            <>
              ends <RelativeTime at={blacklisted.until} />
            </>
          )}
        </span>
      </span>
      <BlacklistAction entry={entry} onDone={onChange} />
    </li>
  )
}
