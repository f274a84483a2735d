import type { RootId } from '../codec/ids.ts'
import type { HeardAttestation } from './attestation.ts'
import type { TrustEdge } from './eigentrust.ts'
import {
  ATTESTATION_TTL_MS,
  ATTESTATIONS_MAX,
  ATTESTATIONS_PER_ATTESTER_MAX,
  ATTESTATIONS_PER_SUBJECT_MAX,
} from './limits.ts'

/** Good tasks in one attestation that count for trust to flow along it: more would let one boast outweigh all others. */
const EDGE_TASKS_MAX = 1_000
/** Good tasks that one bad one outweighs, as it does in a standing. */
const BAD_WEIGHT = 10

/** What others said of each other, newest of each pair, bounded by subject, by attester and in all. Rule [T14]. */
export class AttestationBook {
  readonly #bySubject = new Map<RootId, Map<RootId, HeardAttestation>>()
  readonly #perAttester = new Map<RootId, number>()
  #count = 0

  get size(): number {
    return this.#count
  }

  /** @returns Whether it was taken: not when a newer one is known or there is no room. */
  add(heard: HeardAttestation): boolean {
    const { subject, attester } = heard
    const about = this.#bySubject.get(subject) ?? new Map<RootId, HeardAttestation>()
    const before = about.get(attester)
    if (before !== undefined) {
      if (before.seq >= heard.seq) return false
      about.set(attester, heard)
      return true
    }
    const full =
      this.#count >= ATTESTATIONS_MAX ||
      about.size >= ATTESTATIONS_PER_SUBJECT_MAX ||
      (this.#perAttester.get(attester) ?? 0) >= ATTESTATIONS_PER_ATTESTER_MAX
    if (full) return false
    about.set(attester, heard)
    this.#bySubject.set(subject, about)
    this.#perAttester.set(attester, (this.#perAttester.get(attester) ?? 0) + 1)
    this.#count++
    return true
  }

  about(subject: RootId): Iterable<HeardAttestation> {
    return this.#bySubject.get(subject)?.values() ?? []
  }

  *all(): Generator<HeardAttestation> {
    for (const about of this.#bySubject.values()) yield* about.values()
  }

  /** Forgets everything of an attester whose word is worth nothing any more. */
  forgetAttester(attester: RootId): HeardAttestation[] {
    return this.#dropWhere((heard) => heard.attester === attester)
  }

  /** Forgets what is too old. @returns What was forgotten. */
  prune(nowMs: number): HeardAttestation[] {
    return this.#dropWhere(({ atMs }) => nowMs - atMs > ATTESTATION_TTL_MS)
  }

  /** Whom each attester trusts, for {@link eigenTrust}: good tasks beyond ten times the bad. */
  *edges(): Generator<TrustEdge<RootId>> {
    for (const { attester, subject, good, bad } of this.all()) {
      const weight = Math.min(EDGE_TASKS_MAX, good - BAD_WEIGHT * bad)
      if (weight > 0) yield { from: attester, to: subject, weight }
    }
  }

  #dropWhere(unwanted: (heard: HeardAttestation) => boolean): HeardAttestation[] {
    const dropped: HeardAttestation[] = []
    for (const [subject, about] of this.#bySubject) {
      for (const heard of about.values()) if (unwanted(heard)) dropped.push(heard)
      for (const heard of dropped) if (heard.subject === subject) about.delete(heard.attester)
      if (about.size === 0) this.#bySubject.delete(subject)
    }
    for (const { attester } of dropped) {
      const left = (this.#perAttester.get(attester) ?? 1) - 1
      if (left === 0) this.#perAttester.delete(attester)
      else this.#perAttester.set(attester, left)
    }
    this.#count -= dropped.length
    return dropped
  }
}
