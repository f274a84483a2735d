import { useEffect, useState } from 'react'
import type { JobCounts } from '../../../node/contract.ts'
import { count } from '../../format/number.ts'
import { UNIT_STATES, type UnitState } from '../../format/states.ts'
import { Peer } from '../../parts/peer.tsx'
import { UnitStateMark } from '../../parts/state-mark.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { shallowEqual, useStore } from '../../state/store.ts'
import type { ColourBy } from './grid-painter.ts'

/** Peers named in the legend; colours repeat beyond. */
const PEERS_SHOWN = 4

interface LegendProps {
  readonly by: ColourBy
  readonly watch: JobWatch
}

/** What the colours and shapes of the grid mean, with how many there are of each. */
export function Legend({ by, watch }: LegendProps) {
  return by === 'state' ? <StateLegend watch={watch} /> : <PeerLegend watch={watch} />
}

function StateLegend({ watch }: { readonly watch: JobWatch }) {
  const numbers = useStore(watch.view, ({ summary }) => countsByState(summary?.counts ?? NO_COUNTS), shallowEqual)
  return (
    <ul className="legend">
      {UNIT_STATES.map((state) => (
        <li key={state} className="row">
          <UnitStateMark state={state} />
          <span className="legend-count">{count(numbers[state])}</span>
        </li>
      ))}
    </ul>
  )
}

const NO_COUNTS: JobCounts = {
  units: 0,
  pending: 0,
  leased: 0,
  verifying: 0,
  accepted: 0,
  verified: 0,
  unsuccessful: 0,
  failed: 0,
}

/** Accepted units as the cells show them: each in one state only. */
export function countsByState(counts: JobCounts): Readonly<Record<UnitState, number>> {
  const { pending, leased, verifying, accepted, verified, unsuccessful, failed } = counts
  return {
    pending,
    leased,
    verifying,
    accepted: Math.max(0, accepted - verified),
    verified: Math.max(0, verified - unsuccessful),
    unsuccessful,
    failed,
  }
}

function PeerLegend({ watch }: { readonly watch: JobWatch }) {
  const [peers, setPeers] = useState<readonly string[]>(watch.grid?.peers ?? [])
  useEffect(
    () => watch.onGrid((grid) => setPeers((last) => (last.length === grid.peers.length ? last : grid.peers))),
    [watch],
  )
  return (
    <ul className="legend">
      {peers.slice(0, PEERS_SHOWN).map((peer, at) => (
        <li key={peer} className="row">
          <svg className={`swatch peer-hue-${at % 12}`} viewBox="0 0 12 12" aria-hidden="true">
            <rect width="12" height="12" rx="2" />
          </svg>
          <Peer peerId={peer} plain />
        </li>
      ))}
      {peers.length > PEERS_SHOWN ? <li className="quiet">and {peers.length - PEERS_SHOWN} more</li> : null}
      {peers.length === 0 ? <li className="quiet">No peer has a unit yet</li> : null}
    </ul>
  )
}
