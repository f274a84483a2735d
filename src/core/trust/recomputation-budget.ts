import type { RootId } from '../codec/ids.ts'
import { RECOMPUTATIONS_PER_ACCUSER_MAX, RECOMPUTATIONS_PER_HOUR_MAX } from './limits.ts'

const HOUR_MS = 3_600_000

/**
 * How many of others' conflicts are looked into in an hour. Half of it is kept for those who are believed already, so that a crowd of
 * new identities cannot use up what an honest witness needs; and each accuser has a few only. Rule [T23].
 */
export class RecomputationBudget {
  #hour = 0
  #taken = 0
  #byStrangers = 0
  readonly #byAccuser = new Map<RootId, number>()

  /** Takes one if there is one. @returns Whether there was. */
  take(accuser: RootId, at: { readonly nowMs: number; readonly credible: boolean }): boolean {
    const hour = Math.floor(at.nowMs / HOUR_MS)
    if (hour !== this.#hour) {
      this.#hour = hour
      this.#taken = 0
      this.#byStrangers = 0
      this.#byAccuser.clear()
    }
    const own = this.#byAccuser.get(accuser) ?? 0
    if (this.#taken >= RECOMPUTATIONS_PER_HOUR_MAX || own >= RECOMPUTATIONS_PER_ACCUSER_MAX) return false
    if (!at.credible && this.#byStrangers >= RECOMPUTATIONS_PER_HOUR_MAX / 2) return false
    this.#taken++
    if (!at.credible) this.#byStrangers++
    this.#byAccuser.set(accuser, own + 1)
    return true
  }
}
