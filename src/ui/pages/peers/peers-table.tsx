import {
  createColumnHelper,
  createSortedRowModel,
  type Header,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp } from 'lucide-react'
import type { PeerInfo } from '../../../node/contract.ts'
import { bytesPerSecond, count, duration, percentOf } from '../../format/number.ts'
import { peerName } from '../../format/peer-name.ts'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { PATH_WORDS } from './path-words.ts'

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
})
const column = createColumnHelper<typeof features, PeerInfo>()

const columns = column.columns([
  column.accessor((peer) => peerName(peer.peerId), {
    id: 'name',
    header: 'Peer',
    sortFn: 'basic',
    cell: ({ row }) => <Peer peerId={row.original.peerId} />,
  }),
  column.accessor('kind', { header: 'Path', sortFn: 'basic', cell: ({ row }) => PATH_WORDS[row.original.kind].word }),
  column.accessor((peer) => peer.rttMs ?? Number.POSITIVE_INFINITY, {
    id: 'rtt',
    header: 'Round trip',
    sortFn: 'basic',
    cell: ({ row }) => (row.original.rttMs === null ? '–' : duration(row.original.rttMs)),
  }),
  column.accessor('bytesInPerSecond', {
    header: 'In',
    sortFn: 'basic',
    cell: ({ row }) => bytesPerSecond(row.original.bytesInPerSecond),
  }),
  column.accessor('bytesOutPerSecond', {
    header: 'Out',
    sortFn: 'basic',
    cell: ({ row }) => bytesPerSecond(row.original.bytesOutPerSecond),
  }),
  column.accessor('connectedAt', {
    header: 'Since',
    sortFn: 'basic',
    cell: ({ row }) => <RelativeTime at={row.original.connectedAt} />,
  }),
  column.accessor('unitsDone', {
    header: 'Units for us',
    sortFn: 'basic',
    cell: ({ row }) => count(row.original.unitsDone),
  }),
  column.accessor((peer) => (peer.unitsDone === 0 ? -1 : peer.unitsVerified / peer.unitsDone), {
    id: 'verified',
    header: 'Verified',
    sortFn: 'basic',
    cell: ({ row }) => percentOf(row.original.unitsVerified, row.original.unitsDone),
  }),
  column.accessor((peer) => peer.lastError ?? '', {
    id: 'error',
    header: 'Last error',
    sortFn: 'basic',
    cell: ({ row }) => <LastError text={row.original.lastError} />,
  }),
])

const NUMBERS = new Set(['rtt', 'bytesInPerSecond', 'bytesOutPerSecond', 'unitsDone', 'verified'])

interface PeersTableProps {
  readonly peers: readonly PeerInfo[]
  readonly selected: string | null
  readonly onSelect: (peerId: string) => void
}

export function PeersTable({ peers, selected, onSelect }: PeersTableProps) {
  const table = useTable({
    features,
    columns,
    data: peers as PeerInfo[],
    getRowId: (peer) => peer.peerId,
    enableSortingRemoval: false,
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Table of connections">
      <table className="table peers-table">
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => (
                <SortHeader key={header.id} header={header} />
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {table.getRowModel().rows.map((row) => (
            // The button in the first cell is the keyboard's way to the same.
            <tr
              key={row.id}
              className={row.id === selected ? 'peer-selected' : undefined}
              onClick={() => onSelect(row.id)}
            >
              {row.getAllCells().map((cell, at) => (
                <td key={cell.id} className={NUMBERS.has(cell.column.id) ? 'number' : undefined}>
                  {at === 0 ? (
                    <button
                      type="button"
                      className="peer-button"
                      aria-pressed={row.id === selected}
                      onClick={(event) => {
                        event.stopPropagation()
                        onSelect(row.id)
                      }}
                    >
                      <table.FlexRender cell={cell} />
                    </button>
                  ) : (
                    <table.FlexRender cell={cell} />
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const

function SortHeader({ header }: { readonly header: Header<typeof features, PeerInfo, unknown> }) {
  const sorted = header.column.getIsSorted()
  return (
    <th
      scope="col"
      className={NUMBERS.has(header.column.id) ? 'number' : undefined}
      aria-sort={sorted === false ? 'none' : ARIA_SORT[sorted]}
    >
      <button type="button" onClick={header.column.getToggleSortingHandler()}>
        {String(header.column.columnDef.header)}
        {sorted === 'asc' ? <ArrowUp aria-hidden="true" /> : null}
        {sorted === 'desc' ? <ArrowDown aria-hidden="true" /> : null}
      </button>
    </th>
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
