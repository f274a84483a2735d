import type { RelayInfo } from '../../../node/contract.ts'
import { duration } from '../../format/number.ts'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'

const STATE_WORDS: Readonly<Record<RelayInfo['state'], string>> = {
  connecting: 'Connecting',
  connected: 'Connected, asking for a place',
  reserved: 'Holds a place for this peer',
  full: 'Full, trying the next',
  unreachable: 'Does not answer, trying again',
}

const columns: readonly Column<RelayInfo>[] = [
  { header: 'Address', cell: ({ multiaddr }) => <Address text={multiaddr} /> },
  { header: 'State', cell: ({ state }) => STATE_WORDS[state] },
  { header: 'Place held', cell: ({ reservationExpiresAt }) => <PlaceHeld until={reservationExpiresAt} /> },
  { header: 'Round trip', number: true, cell: ({ rttMs }) => (rttMs === null ? '–' : duration(rttMs)) },
  { header: 'Last error', cell: ({ lastError }) => lastError ?? <span className="quiet">none</span> },
]

/** The relays this peer knows and what each does for it. */
export function RelaysTable({ relays }: { readonly relays: readonly RelayInfo[] }) {
  if (relays.length === 0) {
    return (
      <p className="quiet small">
        None is known. The relay that serves this page is asked first; it did not answer yet.
      </p>
    )
  }
  return <Table label="Table of relays" columns={columns} rows={relays} rowKey={({ multiaddr }) => multiaddr} />
}

function Address({ text }: { readonly text: string }) {
  return (
    <span className="mono relay-address truncate" title={text}>
      {text}
    </span>
  )
}

function PlaceHeld({ until }: { readonly until: number | null }) {
  if (until === null) return 'no'
  return (
    <>
      until <RelativeTime at={until} />
    </>
  )
}
