import type { LearningContribution, LearningTaskDetail } from '../../../node/learning-contract.ts'
import { count, plural, significant } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { type Column, Table } from '../../parts/table.tsx'

const COLUMNS: readonly Column<LearningContribution>[] = [
  {
    header: 'Member',
    cell: ({ peerId, self, member }) => (
      <>
        <Peer peerId={peerId} self={self} />
        {member ? null : <span className="quiet"> (left)</span>}
      </>
    ),
  },
  { header: 'Merged', number: true, sortBy: ({ merged }) => merged, cell: ({ merged }) => count(merged) },
  { header: 'Rejected', number: true, sortBy: ({ rejected }) => rejected, cell: ({ rejected }) => count(rejected) },
  { header: 'Missed', number: true, sortBy: ({ missed }) => missed, cell: ({ missed }) => count(missed) },
  {
    header: 'Last change',
    number: true,
    sortBy: ({ lastNorm }) => lastNorm ?? -1,
    cell: ({ lastNorm }) => (lastNorm === null ? '–' : significant(lastNorm)),
    title: () => 'L2 norm of its last update; in a secret sum nobody sees it',
  },
]

/** Who took part, and how much of it went into the model. */
export function MembersPanel({ task }: { readonly task: LearningTaskDetail }) {
  const { contributions, memberIds, rounds } = task
  return (
    <Panel
      title="Who contributed"
      note={`${plural(memberIds.length, 'member')} now, ${plural(rounds, 'round')} in all`}
    >
      <Table
        label="Members and what became of their updates"
        columns={COLUMNS}
        rows={contributions}
        rowKey={({ peerId }) => peerId}
        empty="Nobody yet. Members appear here with their first round."
      />
    </Panel>
  )
}
