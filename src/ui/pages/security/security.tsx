import { Download } from 'lucide-react'
import { useCallback, useMemo } from 'react'
import { Link, useSearchParams } from 'wouter'
import { SECURITY_EVENT_TYPES } from '../../../core/trust/security-event.ts'
import type { SecurityEvent, SecurityFilter } from '../../../node/trust-contract.ts'
import { bytes, plural } from '../../format/number.ts'
import { eventWords, SEVERITY_WORDS } from '../../format/trust.ts'
import { SECURITY_EVENTS_SHOWN_MAX, TRUST_REFRESH_MS } from '../../limits.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/controls.tsx'
import { Empty, Notice, Panel, Skeleton } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { act } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { saveBlob } from '../job/downloads.ts'
import './security.css'

const TYPES = Object.keys(SECURITY_EVENT_TYPES).sort()
const SEVERITIES = ['serious', 'warning', 'info'] as const

/** Everything that was refused, punished, rotated or revoked, with its evidence. The filters are in the address. */
export function Security() {
  const node = useNode()
  const [params, setParams] = useSearchParams()
  const [type, severity, peer] = [params.get('type') ?? '', params.get('severity') ?? '', params.get('peer') ?? '']
  const filter = useMemo((): SecurityFilter => filterOf({ type, severity, peer }), [type, severity, peer])
  const { value, error } = usePolled(
    useCallback(() => node.securityEvents({ ...filter, limit: SECURITY_EVENTS_SHOWN_MAX }), [node, filter]),
    TRUST_REFRESH_MS,
  )
  const choose = (name: string, chosen: string): void =>
    setParams(
      (last) => {
        const next = new URLSearchParams(last)
        if (chosen === '') next.delete(name)
        else next.set(name, chosen)
        return next
      },
      { replace: true },
    )
  const save = async (): Promise<void> => {
    const lines = (await node.exportSecurityEvents(filter)) as Uint8Array<ArrayBuffer>
    saveBlob('starling-security.jsonl', new Blob([lines], { type: 'application/x-ndjson' }))
  }
  const filtered = type !== '' || severity !== '' || peer !== ''
  return (
    <div className="stack">
      <header className="page-head">
        <h1>Security log</h1>
        <p className="quiet small grow">What was refused, punished, rotated or revoked here, and the proof</p>
      </header>
      {error === null ? null : (
        <Notice tone="warning" title="The list may be old">
          {error}. Starling keeps asking.
        </Notice>
      )}
      <Panel
        title="Events"
        note={value === null ? '' : plural(value.length, 'event')}
        actions={
          <Button icon={<Download aria-hidden="true" />} onClick={() => act('Saving the events', save)}>
            Save these
          </Button>
        }
      >
        <div className="stack">
          <div className="security-filters">
            <Choice label="Severity" value={severity} onChange={(chosen) => choose('severity', chosen)}>
              {SEVERITIES.map((each) => (
                <option key={each} value={each}>
                  {SEVERITY_WORDS[each]}
                </option>
              ))}
            </Choice>
            <Choice label="Kind" value={type} onChange={(chosen) => choose('type', chosen)}>
              {TYPES.map((each) => (
                <option key={each} value={each}>
                  {eventWords(each)}
                </option>
              ))}
            </Choice>
            <Field label="Peer">
              {(ids) => (
                <input
                  {...ids}
                  className="input mono"
                  placeholder="Peer or root id"
                  value={peer}
                  spellCheck={false}
                  onChange={(event) => choose('peer', event.target.value.trim())}
                />
              )}
            </Field>
          </div>
          {value === null ? (
            <Skeleton lines={8} />
          ) : (
            <Events events={value} filtered={filtered} opened={Number(params.get('event'))} />
          )}
        </div>
      </Panel>
    </div>
  )
}

function filterOf(chosen: { readonly type: string; readonly severity: string; readonly peer: string }): SecurityFilter {
  const severity = SEVERITIES.find((each) => each === chosen.severity)
  return {
    ...(chosen.type === '' ? {} : { types: [chosen.type] }),
    ...(severity === undefined ? {} : { severities: [severity] }),
    ...(chosen.peer === '' ? {} : { peer: chosen.peer }),
  }
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly children: React.ReactNode
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  return (
    <Field label={label}>
      {(ids) => (
        <select {...ids} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
          <option value="">All</option>
          {children}
        </select>
      )}
    </Field>
  )
}

interface EventsProps {
  readonly events: readonly SecurityEvent[]
  readonly filtered: boolean
  /** Id of the event that the address names. */
  readonly opened: number
}

function Events({ events, filtered, opened }: EventsProps) {
  if (events.length === 0) {
    return (
      <Empty title={filtered ? 'No event fits' : 'Nothing has happened yet'}>
        {filtered
          ? 'Choose another kind or severity, or all of them.'
          : 'Forged or repeated messages, wrong results, blacklistings and changes of keys will be written here.'}
      </Empty>
    )
  }
  return (
    <ol className="security-events">
      {events.map((event) => (
        <EventRow key={event.id} event={event} open={event.id === opened} />
      ))}
    </ol>
  )
}

function EventRow({ event, open }: { readonly event: SecurityEvent; readonly open: boolean }) {
  const { type, severity, message, evidence, rootId, peerId, at } = event
  const who = rootId ?? peerId
  return (
    <li className={`security-event ${open ? 'security-event-open' : ''}`}>
      <span className={`security-severity security-${severity}`}>{SEVERITY_WORDS[severity]}</span>
      <div className="stack stack-tight grow">
        <span className="row row-wrap">
          <strong>{eventWords(type)}</strong>
          {who === null ? null : (
            <Link href={rootId === null ? `/peers?peer=${who}` : `/trust/${rootId}`} className="security-peer small">
              <Peer peerId={who} />
            </Link>
          )}
          <span className="grow" />
          <span className="quiet small">
            <RelativeTime at={at} />
          </span>
        </span>
        <span className="small security-message">{message}</span>
        {evidence.length === 0 ? null : <Pieces event={event} open={open} />}
      </div>
    </li>
  )
}

function Pieces({ event, open }: { readonly event: SecurityEvent; readonly open: boolean }) {
  return (
    <details className="small" open={open}>
      <summary>{plural(event.evidence.length, 'piece')} of evidence</summary>
      <ul className="row row-wrap security-pieces">
        {event.evidence.map((piece, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a piece is its place in an event that never changes
          <li key={index}>
            <Button
              icon={<Download aria-hidden="true" />}
              onClick={() =>
                saveBlob(
                  `starling-evidence-${event.id}-${index + 1}.cbor`,
                  new Blob([piece as Uint8Array<ArrayBuffer>]),
                )
              }
            >
              Piece {index + 1}, {bytes(piece.length)}
            </Button>
          </li>
        ))}
      </ul>
    </details>
  )
}
