import type { PeerId } from '../codec/ids.ts'
import { auditPpmFor, type Candidate, type ExecutorView, leaseAllowance, selectExecutors } from '../trust/assignment.ts'
import { AuditDraw } from '../trust/audit-draw.ts'
import { HALF, toPpm } from '../trust/fixed.ts'
import { TASK_MS } from '../trust/limits.ts'
import { PPM } from './limits.ts'
import type { ServiceLevel, Verification } from './manifest.ts'
import type { Rng } from './rng.ts'

/** Who is asked first, for how much, and how closely it is checked. */
export interface TrustPolicy {
  /** Executors that something is known of. */
  readonly views: readonly ExecutorView[]
  /** Whether reputation and quotas count; where not (a room of friends), only who is barred is kept out. */
  readonly enforced: boolean
}

/** What the scheduler knows of an executor's load. */
interface Load {
  readonly peer: PeerId
  readonly slots: number
  readonly held: number
}

/**
 * The scheduler's side of trust: what reputation, quotas and suspicion mean for lending. Rules [T18] to [T21]. Without a policy
 * everybody is served alike.
 */
export class ExecutorTrust {
  readonly #views = new Map<PeerId, ExecutorView>()
  /** Of executors that are seen now. */
  readonly #audits = new Map<PeerId, AuditDraw>()
  #enforced = false

  set({ views, enforced }: TrustPolicy): void {
    this.#views.clear()
    for (const view of views) this.#views.set(view.peer, view)
    for (const peer of this.#audits.keys()) if (!this.#views.has(peer)) this.#audits.delete(peer)
    this.#enforced = enforced
  }

  mayServe(peer: PeerId, { reputationPpmMin }: ServiceLevel): boolean {
    const view = this.#views.get(peer)
    if (!this.#enforced) return view?.barred !== true
    if (view === undefined || view.barred || view.root === null) return false
    return toPpm(view.score ?? HALF) >= reputationPpmMin
  }

  /** Who is to be served, and in which order: the better ones first more often, with a share for those on trial. */
  order<L extends Load>(executors: readonly L[], rng: Rng): readonly L[] {
    if (!this.#enforced) return executors
    const candidates: (Candidate & { readonly load: L })[] = []
    for (const load of executors) {
      const view = this.#views.get(load.peer)
      // Terms are the requester's own, the same for all: there are no dearer executors yet.
      if (view !== undefined) candidates.push({ view, slots: load.slots, held: load.held, priceClass: 0, load })
    }
    return selectExecutors(candidates, { count: candidates.length, rng }).map(({ load }) => load)
  }

  /** How many further units it may be lent. What it holds already counts as if it were done. */
  allowance(
    peer: PeerId,
    of: { readonly unitMs: number | null; readonly held: number; readonly free: number },
  ): number {
    if (!this.#enforced) return of.free
    const view = this.#views.get(peer)
    if (view === undefined) return 0
    const allowed = leaseAllowance(view, { durationMs: of.unitMs ?? TASK_MS, free: of.held + of.free })
    return Math.max(0, Math.min(of.free, allowed - of.held))
  }

  /** The share of units to recompute when these executors agree: as much as the least trusted of them asks for. */
  auditPpm(peers: readonly PeerId[], verification: Verification): number {
    if (!this.#enforced) return verification.auditPpm
    const shares = peers.map((peer) => {
      const view = this.#views.get(peer)
      return view === undefined ? verification.auditPpm : auditPpmFor(view, verification)
    })
    return Math.max(verification.auditPpm, ...shares)
  }

  /**
   * Whether a unit on which these executors agree is recomputed. A lone one's are drawn by blocks, so that a liar is never unseen for
   * long; where several agree, and where trust does not count, each unit is drawn for itself.
   */
  auditDue(peers: readonly PeerId[], verification: Verification, rng: Rng): boolean {
    const auditPpm = this.auditPpm(peers, verification)
    const [lone, other] = peers
    if (!this.#enforced || lone === undefined || other !== undefined) return auditPpm > 0 && rng.below(PPM) < auditPpm
    const draw = this.#audits.get(lone) ?? new AuditDraw()
    this.#audits.set(lone, draw)
    return draw.due(auditPpm, rng)
  }
}
