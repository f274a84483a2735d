import type { Rng } from '../tasks/rng.ts'

const PPM = 1_000_000

/**
 * Which of one executor's results are recomputed: one in every block of them, at a place nobody can foresee. A plain draw for each
 * would let a cheat go unseen for long now and then; here no more than two blocks less two ever pass between audits. Rule [T21].
 *
 * @example
 * const audits = new AuditDraw()
 * if (audits.due(auditPpmFor(view, verification), rng)) recompute()
 */
export class AuditDraw {
  #block = 0
  #place = 0
  #seen = 0

  /** Counts one result. @returns Whether it is to be recomputed. */
  due(auditPpm: number, rng: Rng): boolean {
    if (auditPpm <= 0) return false
    const block = Math.max(1, Math.floor(PPM / auditPpm))
    // Another rate begins another block: suspicion takes effect at once.
    if (block !== this.#block || this.#seen === this.#block) {
      this.#block = block
      this.#place = rng.below(block)
      this.#seen = 0
    }
    return this.#seen++ === this.#place
  }
}
