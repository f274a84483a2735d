import type { Hash, PeerId } from '../codec/ids.ts'
import { VIEWS_MAX, VOTES_KEPT_MAX } from './limits.ts'
import type { SignedVote } from './messages.ts'

/**
 * Votes of one step, by view and author. The first of an author in a view is its vote; a different second one is evidence. It still counts
 * towards a quorum for what it states: two quorums share an honest member whatever liars sign, and whoever heard a liar's other vote
 * first must be able to follow those who are locked by this one.
 */
export class Ballot {
  readonly #views = new Map<number, Map<PeerId, SignedVote>>()
  readonly #contradicting = new Map<number, SignedVote[]>()
  readonly #highest = new Map<PeerId, number>()

  /** @returns What the author voted before, when this is the first that is heard of something else; `undefined` otherwise. */
  add(vote: SignedVote): SignedVote | undefined {
    const { view } = vote.body
    const votes = this.#views.get(view) ?? new Map<PeerId, SignedVote>()
    const before = votes.get(vote.author)
    if (before !== undefined) return this.#addContradicting(before, vote)
    if (!this.#views.has(view) && this.#views.size >= VIEWS_MAX) this.#forget(Math.min(...this.#views.keys()))
    this.#views.set(view, votes)
    votes.set(vote.author, vote)
    this.#highest.set(vote.author, Math.max(view, this.highest(vote.author)))
    return undefined
  }

  #addContradicting(before: SignedVote, vote: SignedVote): SignedVote | undefined {
    const { view, outcome } = vote.body
    const kept = this.#contradicting.get(view) ?? []
    const own = [before, ...kept].filter(({ author }) => author === vote.author)
    if (own.length >= VOTES_KEPT_MAX || own.some(({ body }) => body.outcome === outcome)) return undefined
    this.#contradicting.set(view, [...kept, vote])
    return before
  }

  #forget(view: number): void {
    this.#views.delete(view)
    this.#contradicting.delete(view)
  }

  has(view: number, author: PeerId): boolean {
    return this.#views.get(view)?.has(author) ?? false
  }

  /** Votes for one outcome, each author's once. */
  votesFor(view: number, outcome: Hash): readonly SignedVote[] {
    return this.#of(view).filter(({ body }) => body.outcome === outcome)
  }

  #of(view: number): readonly SignedVote[] {
    return [...(this.#views.get(view)?.values() ?? []), ...(this.#contradicting.get(view) ?? [])]
  }

  all(): readonly SignedVote[] {
    return [...this.#views.values()].flatMap((votes) => [...votes.values()])
  }

  count(view: number): number {
    return this.#views.get(view)?.size ?? 0
  }

  /** What a quorum voted for in a view: an outcome, `null` for none of them, `undefined` while there is no quorum. */
  decided(view: number, quorum: number): Hash | null | undefined {
    const counts = new Map<Hash | null, number>()
    for (const { body } of this.#of(view)) {
      const count = (counts.get(body.outcome) ?? 0) + 1
      if (count >= quorum) return body.outcome
      counts.set(body.outcome, count)
    }
    return undefined
  }

  /** An outcome that a quorum voted for in any view. */
  decidedAnywhere(quorum: number): { readonly view: number; readonly hash: Hash } | null {
    for (const view of this.#views.keys()) {
      const hash = this.decided(view, quorum)
      if (hash !== undefined && hash !== null) return { view, hash }
    }
    return null
  }

  /** Highest view that an author voted in; −1 before its first vote. */
  highest(author: PeerId): number {
    return this.#highest.get(author) ?? -1
  }
}
