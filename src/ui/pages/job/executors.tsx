import { memo } from 'react'
import type { ExecutorStats } from '../../../node/contract.ts'
import { count, duration, money } from '../../format/number.ts'
import { exclusionWords } from '../../format/problems.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'

interface ExecutorsProps {
  readonly executors: readonly ExecutorStats[]
}

/** Who computed how much of this job. */
export const Executors = memo(function Executors({ executors }: ExecutorsProps) {
  const most = [...executors].sort((a, b) => b.accepted - a.accepted)
  return (
    <Panel title="Executors">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="table-scroll" tabIndex={0} aria-label="Table of executors">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Peer</th>
              <th scope="col" className="number">
                Running
              </th>
              <th scope="col" className="number">
                Accepted
              </th>
              <th scope="col" className="number">
                Failed
              </th>
              <th scope="col" className="number">
                Mean time
              </th>
              <th scope="col" className="number">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {most.map((executor) => (
              <tr key={executor.peerId}>
                <td>
                  <Peer peerId={executor.peerId} self={executor.self} />
                  {executor.excludedBecause === null ? null : (
                    <div className="receipt-differs small">Excluded: {exclusionWords(executor.excludedBecause)}</div>
                  )}
                </td>
                <td className="number">{count(executor.inFlight)}</td>
                <td className="number">{count(executor.accepted)}</td>
                <td className="number">{count(executor.failed)}</td>
                <td className="number">{executor.accepted === 0 ? '–' : duration(executor.meanMs)}</td>
                <td className="number">{money(executor.costMicro)}</td>
              </tr>
            ))}
            {most.length === 0 ? (
              <tr>
                <td colSpan={6} className="quiet">
                  Nobody yet. Peers that lend and can run this job bid for its units.
                </td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </section>
    </Panel>
  )
})
