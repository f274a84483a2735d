import { useCallback } from 'react'
import { Link } from 'wouter'
import type { TrustEntry } from '../../../node/trust-contract.ts'
import { count, plural } from '../../format/number.ts'
import { groundWords, quotaWords, scoreCell, TIER_WORDS } from '../../format/trust.ts'
import { TRUST_REFRESH_MS } from '../../limits.ts'
import { Empty, Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { BlacklistAction } from './blacklist-dialog.tsx'
import '../../parts/table.css'
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

function EntriesTable({ entries }: { readonly entries: readonly TrustEntry[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Table of peers">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Peer</th>
            <th scope="col">Tier</th>
            <th scope="col" className="number">
              Standing
            </th>
            <th scope="col" className="number">
              Score
            </th>
            <th scope="col" className="number">
              Good
            </th>
            <th scope="col" className="number">
              Bad
            </th>
            <th scope="col" className="number">
              Tasks this hour
            </th>
            <th scope="col">Last task</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <EntryRow key={entry.rootId} entry={entry} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function EntryRow({ entry }: { readonly entry: TrustEntry }) {
  const { rootId, tier, standing, blended, tasks, quota, lastTaskAt, blacklisted } = entry
  return (
    <tr>
      <td>
        <Link href={`/trust/${rootId}`} className="trust-link">
          <Peer peerId={rootId} />
        </Link>
      </td>
      <td title={TIER_WORDS[tier].meaning}>{TIER_WORDS[tier].word}</td>
      <td className="number">{count(standing)}</td>
      <td className="number">{scoreCell(blended)}</td>
      <td className="number">{count(tasks.good)}</td>
      <td className="number">{count(tasks.bad)}</td>
      <td className="number">{quotaWords(quota)}</td>
      <td>{lastTaskAt === null ? 'never' : <RelativeTime at={lastTaskAt} />}</td>
      <td>
        {blacklisted !== null ? (
          <span className="trust-barred">Blacklisted</span>
        ) : blended === null ? (
          <span className="quiet">On trial</span>
        ) : (
          'Judged'
        )}
      </td>
    </tr>
  )
}

function BarredRow({ entry, onChange }: { readonly entry: TrustEntry; readonly onChange: () => void }) {
  const { blacklisted } = entry
  if (blacklisted === null) return null
  return (
    <li className="row row-wrap trust-barred-row">
      <span className="grow stack stack-tight">
        <Link href={`/trust/${entry.rootId}`} className="trust-link">
          <Peer peerId={entry.rootId} />
        </Link>
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
