import type { PeerInfo } from '../../../node/contract.ts'
import { bytesPerSecond, count, duration, percentOf } from '../../format/number.ts'
import { peerName } from '../../format/peer-name.ts'
import { Peer } from '../../parts/peer.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { PATH_WORDS } from './path-words.ts'

const columns: readonly Column<PeerInfo>[] = [
  { header: 'Peer', sortBy: ({ peerId }) => peerName(peerId), cell: ({ peerId }) => <Peer peerId={peerId} /> },
  { header: 'Path', sortBy: ({ kind }) => kind, cell: ({ kind }) => PATH_WORDS[kind].word },
  {
    header: 'Round trip',
    number: true,
    sortBy: ({ rttMs }) => rttMs ?? Number.POSITIVE_INFINITY,
    cell: ({ rttMs }) => (rttMs === null ? '–' : duration(rttMs)),
  },
  {
    header: 'In',
    number: true,
    sortBy: ({ bytesInPerSecond }) => bytesInPerSecond,
    cell: ({ bytesInPerSecond }) => bytesPerSecond(bytesInPerSecond),
  },
  {
    header: 'Out',
    number: true,
    sortBy: ({ bytesOutPerSecond }) => bytesOutPerSecond,
    cell: ({ bytesOutPerSecond }) => bytesPerSecond(bytesOutPerSecond),
  },
  {
    header: 'Since',
    sortBy: ({ connectedAt }) => connectedAt,
    cell: ({ connectedAt }) => <RelativeTime at={connectedAt} />,
  },
  {
    header: 'Units for us',
    number: true,
    sortBy: ({ unitsDone }) => unitsDone,
    cell: ({ unitsDone }) => count(unitsDone),
  },
  {
    header: 'Verified',
    number: true,
    sortBy: ({ unitsDone, unitsVerified }) => (unitsDone === 0 ? -1 : unitsVerified / unitsDone),
    cell: ({ unitsDone, unitsVerified }) => percentOf(unitsVerified, unitsDone),
  },
  {
    header: 'Last error',
    sortBy: ({ lastError }) => lastError ?? '',
    cell: ({ lastError }) => <LastError text={lastError} />,
  },
]

interface PeersTableProps {
  readonly peers: readonly PeerInfo[]
  readonly selected: string | null
  readonly onSelect: (peerId: string) => void
}

export function PeersTable({ peers, selected, onSelect }: PeersTableProps) {
  return (
    <Table
      label="Table of connections"
      columns={columns}
      rows={peers}
      rowKey={({ peerId }) => peerId}
      selection={{ key: selected, onSelect }}
    />
  )
}

function LastError({ text }: { readonly text: string | null }) {
  if (text === null) return <span className="quiet">none</span>
  return (
    <span className="last-error truncate" title={text}>
      {text}
    </span>
  )
}
