import { memo } from 'react'
import type { JobProblem } from '../../../node/contract.ts'
import { count } from '../../format/number.ts'
import { problemWords } from '../../format/problems.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'

const PEERS_SHOWN = 4

/** What went wrong: each cause once, how often, who, and what was done about it. */
export const Problems = memo(function Problems({ problems }: { readonly problems: readonly JobProblem[] }) {
  return (
    <Panel title="Problems">
      {problems.length === 0 ? (
        <p className="quiet small">
          Nothing went wrong so far. Lost, late and wrong units would be listed here, once each.
        </p>
      ) : (
        <ul className="problems">
          {problems.map((problem) => (
            <li key={problem.code} className="stack stack-tight">
              <div className="row spread">
                <strong>{problemWords(problem.code)}</strong>
                <span className="quiet small">
                  {count(problem.count)}×, <RelativeTime at={problem.lastAt} />
                </span>
              </div>
              <p className="small">
                {problem.consequence}. <span className="quiet">Last: {problem.example}</span>
              </p>
              <div className="row row-wrap small">
                {problem.peers.slice(0, PEERS_SHOWN).map((peer) => (
                  <Peer key={peer} peerId={peer} />
                ))}
                {problem.peers.length > PEERS_SHOWN ? `and ${problem.peers.length - PEERS_SHOWN} more` : null}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
})
