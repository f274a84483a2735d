import type { PeerId } from '../core/codec/ids.ts'
import type { RoundNotice } from '../core/learning/round-events.ts'
import type { LearningContribution, LearningRejection, LearningRoundPoint } from './learning-contract.ts'

/** Rejections shown; the curve of rounds says how many there were. */
const REJECTIONS_MAX = 500

interface History {
  readonly points: LearningRoundPoint[]
  readonly contributions: LearningContribution[]
  readonly rejections: LearningRejection[]
}

type Committed = Extract<RoundNotice, { type: 'committed' }>

/** What happened in a task so far, as it looked from here; kept over restarts as one record. */
export class LearningHistory {
  readonly #self: PeerId
  readonly #points: LearningRoundPoint[]
  readonly #rejections: LearningRejection[]
  readonly #contributions: Map<string, LearningContribution>

  constructor(self: PeerId, stored?: Uint8Array) {
    this.#self = self
    const history = stored === undefined ? null : parse(stored)
    this.#points = history?.points ?? []
    this.#rejections = history?.rejections ?? []
    this.#contributions = new Map((history?.contributions ?? []).map((each) => [each.peerId, each]))
  }

  get points(): readonly LearningRoundPoint[] {
    return this.#points
  }

  get rejections(): readonly LearningRejection[] {
    return this.#rejections
  }

  contributions(members: ReadonlySet<string>): LearningContribution[] {
    return [...this.#contributions.values()]
      .map((each) => ({ ...each, member: members.has(each.peerId) }))
      .sort((a, b) => b.merged - a.merged || a.rejected - b.rejected)
  }

  encode(): Uint8Array {
    const history: History = {
      points: this.#points,
      rejections: this.#rejections,
      contributions: [...this.#contributions.values()],
    }
    return new TextEncoder().encode(JSON.stringify(history))
  }

  committed({ commit, head, durationMs, rejected, missed }: Committed, at: number): void {
    const { outcome, view } = commit
    this.#points.push({
      round: outcome.round,
      at,
      outcome: outcome.skipped === null ? 'merged' : 'skipped',
      skippedBecause: outcome.skipped === null ? null : { code: outcome.skipped },
      members: head.roster.length,
      merged: outcome.updates.length,
      rejected: rejected.length,
      attempts: view + 1,
      durationMs,
      loss: null,
      accuracy: null,
      trainLoss: null,
      epsilon: null,
      modelHash: outcome.model,
    })
    for (const { peer } of outcome.updates) this.#change(peer, { merged: 1, lastRound: outcome.round })
    for (const { peer, reason, votes } of rejected) {
      this.#change(peer, { rejected: 1 })
      this.reject({ round: outcome.round, at, peerId: peer, reason: { code: codeOf(reason) }, votes })
    }
    if (outcome.skipped !== 'roster') for (const peer of missed) this.#change(peer, { missed: 1 })
  }

  reject(rejection: LearningRejection): void {
    this.#rejections.push(rejection)
    if (this.#rejections.length > REJECTIONS_MAX) this.#rejections.shift()
  }

  announced(peer: PeerId, norm: number): void {
    this.#change(peer, { lastNorm: norm })
  }

  /** Adds what was measured here to the point of a round. */
  measured(
    round: number,
    measure: Partial<Pick<LearningRoundPoint, 'loss' | 'accuracy' | 'trainLoss' | 'epsilon'>>,
  ): void {
    const index = this.#points.findLastIndex((point) => point.round === round)
    const point = this.#points[index]
    if (point !== undefined) this.#points[index] = { ...point, ...measure }
  }

  #change(
    peer: PeerId,
    by: {
      readonly merged?: number
      readonly rejected?: number
      readonly missed?: number
      readonly lastRound?: number
      readonly lastNorm?: number
    },
  ): void {
    const before = this.#contributions.get(peer)
    this.#contributions.set(peer, {
      peerId: peer,
      self: peer === this.#self,
      member: true,
      merged: (before?.merged ?? 0) + (by.merged ?? 0),
      rejected: (before?.rejected ?? 0) + (by.rejected ?? 0),
      missed: (before?.missed ?? 0) + (by.missed ?? 0),
      lastRound: by.lastRound ?? before?.lastRound ?? null,
      lastNorm: by.lastNorm ?? before?.lastNorm ?? null,
    })
  }
}

function codeOf(reason: Committed['rejected'][number]['reason']): string {
  return reason
}

/** Our own writing; a damaged record is a history that begins anew. */
function parse(stored: Uint8Array): History | null {
  try {
    return JSON.parse(new TextDecoder().decode(stored)) as History
  } catch {
    return null
  }
}
