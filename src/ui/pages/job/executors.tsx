import { memo } from 'react'
import type { ExecutorStats } from '../../../node/contract.ts'
import { count, duration, money } from '../../format/number.ts'
import { exclusionWords } from '../../format/problems.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { type Column, Table } from '../../parts/table.tsx'

const columns: readonly Column<ExecutorStats>[] = [
  { header: 'Peer', cell: (executor) => <Who executor={executor} /> },
  { header: 'Running', number: true, cell: ({ inFlight }) => count(inFlight) },
  { header: 'Accepted', number: true, cell: ({ accepted }) => count(accepted) },
  { header: 'Failed', number: true, cell: ({ failed }) => count(failed) },
  { header: 'Mean time', number: true, cell: ({ accepted, meanMs }) => (accepted === 0 ? '–' : duration(meanMs)) },
  { header: 'Cost', number: true, cell: ({ costMicro }) => money(costMicro) },
]

interface ExecutorsProps {
  readonly executors: readonly ExecutorStats[]
}

/** Who computed how much of this job. */
export const Executors = memo(function Executors({ executors }: ExecutorsProps) {
  const most = [...executors].sort((a, b) => b.accepted - a.accepted)
  return (
    <Panel title="Executors">
      <Table
        label="Table of executors"
        columns={columns}
        rows={most}
        rowKey={({ peerId }) => peerId}
        empty="Nobody yet. Peers that lend and can run this job bid for its units."
      />
    </Panel>
  )
})

function Who({ executor }: { readonly executor: ExecutorStats }) {
  return (
    <>
      <Peer peerId={executor.peerId} self={executor.self} />
      {executor.excludedBecause === null ? null : (
        <div className="receipt-differs small">Excluded: {exclusionWords(executor.excludedBecause)}</div>
      )}
    </>
  )
}
