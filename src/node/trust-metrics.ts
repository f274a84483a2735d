import type { RootId } from '../core/codec/ids.ts'
import { toNumber } from '../core/trust/fixed.ts'
import type { TrustState } from '../core/trust/trust-state.ts'
import type { SampledGauge } from './metrics.ts'

/** Peers with a label of their own; the tasks of further ones are counted under `other`. */
const PEER_LABELS_MAX = 64
const OTHER = 'other'

interface Executed {
  good: number
  bad: number
}

/** Figures of trust for Prometheus, with as many labels as are fixed here and no more. */
export class TrustMetrics {
  readonly #executed = new Map<string, Executed>()

  executed(root: RootId, success: boolean): void {
    const known = this.#executed.has(root) || this.#executed.size < PEER_LABELS_MAX
    const label = known ? root : OTHER
    const counts = this.#executed.get(label) ?? { good: 0, bad: 0 }
    if (success) counts.good++
    else counts.bad++
    this.#executed.set(label, counts)
  }

  samples(state: TrustState, nowMs: number): SampledGauge[] {
    const samples: SampledGauge[] = []
    for (const [peer_id, { good, bad }] of this.#executed) {
      const help = 'Tasks that peers did for this one, by how they ended'
      const name = 'reputation_tasks_executed_total'
      samples.push({ name, help, kind: 'counter', value: good, labels: { peer_id, success: 'true' } })
      samples.push({ name, help, kind: 'counter', value: bad, labels: { peer_id, success: 'false' } })
    }
    for (const label of this.#executed.keys()) {
      if (label === OTHER) continue
      // Every label but one is a root.
      const score = state.blendedScore(label as RootId, nowMs)
      if (score === null) continue
      const help = 'Quality of a peer as judged here, 0 to 1'
      samples.push({
        name: 'reputation_score',
        help,
        kind: 'gauge',
        value: toNumber(score),
        labels: { peer_id: label },
      })
    }
    let barred = 0
    for (const { root } of state.roots) if (state.isBarred(root, nowMs)) barred++
    const help = 'Peers that are kept out at this moment'
    samples.push({ name: 'reputation_blacklisted_peers', help, kind: 'gauge', value: barred })
    return samples
  }
}
