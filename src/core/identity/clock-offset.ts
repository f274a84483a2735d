import {
  CLOCK_OFFSET_MAX_MS,
  CLOCK_PEERS_MAX,
  CLOCK_PEERS_MIN,
  CLOCK_ROUND_TRIP_MAX_MS,
  CLOCK_SAMPLE_TTL_MS,
} from './limits.ts'

/** What one peer's answer said of its clock. The link it came over proves who sent it. */
export interface ClockSample {
  /** The peer's clock minus ours, milliseconds, taking half of the round trip for the way back. */
  readonly offsetMs: number
  readonly roundTripMs: number
}

export interface ClockEstimate {
  /**
   * `unknown`: too few peers have said. `good`: use the offset. `implausible`: most clocks differ from ours by more than may be
   * corrected, so ours is wrong or most peers lie; nothing is corrected and the owner is to be told.
   */
  readonly state: 'unknown' | 'good' | 'implausible'
  /** To be added to our clock, milliseconds; 0 unless `good`. */
  readonly offsetMs: number
  /** The middle of all clocks, ours among them; `null` while unknown. */
  readonly medianMs: number | null
  readonly peers: number
}

interface Kept {
  readonly offsetMs: number
  readonly atMs: number
}

/**
 * How far this peer's clock is off, by the clocks of the peers it is linked with. Rule [S9].
 *
 * Each peer has one vote, its last sample, and our own clock has one too. The middle vote always lies between two honest ones while
 * fewer than half of the votes are lies, whatever the lies are; and never is more than `CLOCK_OFFSET_MAX_MS` corrected.
 */
export class ClockOffset {
  /** Least recently heard first. */
  readonly #samples = new Map<string, Kept>()

  /** Takes a peer's answer for its vote; what took too long or is no number is no vote. @param atMs - Our own clock, uncorrected. */
  sample(peer: string, { offsetMs, roundTripMs }: ClockSample, atMs: number): void {
    if (!Number.isFinite(offsetMs) || !(roundTripMs >= 0 && roundTripMs <= CLOCK_ROUND_TRIP_MAX_MS)) return
    this.#samples.delete(peer)
    this.#samples.set(peer, { offsetMs, atMs })
    if (this.#samples.size <= CLOCK_PEERS_MAX) return
    for (const oldest of this.#samples.keys()) {
      this.#samples.delete(oldest)
      return
    }
  }

  /** The peer is gone, or is not to be believed: its vote goes with it. */
  forget(peer: string): void {
    this.#samples.delete(peer)
  }

  /**
   * @param nowMs - Our own clock, uncorrected.
   * @param isAdmitted - Whose votes count alone as soon as they are enough: strangers cost nothing.
   */
  estimate(nowMs: number, isAdmitted: (peer: string) => boolean = () => true): ClockEstimate {
    const all: number[] = []
    const admitted: number[] = []
    for (const [peer, { offsetMs, atMs }] of this.#samples) {
      if (Math.abs(nowMs - atMs) > CLOCK_SAMPLE_TTL_MS) continue
      all.push(offsetMs)
      if (isAdmitted(peer)) admitted.push(offsetMs)
    }
    const votes = admitted.length >= CLOCK_PEERS_MIN ? admitted : all
    const peers = votes.length
    if (peers < CLOCK_PEERS_MIN) return { state: 'unknown', offsetMs: 0, medianMs: null, peers }
    const medianMs = middleOf([...votes, 0])
    if (Math.abs(medianMs) > CLOCK_OFFSET_MAX_MS) return { state: 'implausible', offsetMs: 0, medianMs, peers }
    return { state: 'good', offsetMs: medianMs, medianMs, peers }
  }
}

/** Of two middle values the one nearer to our own clock: in doubt, less is corrected. */
function middleOf(values: number[]): number {
  values.sort((a, b) => a - b)
  // The caller put one in at least.
  const low = values[(values.length - 1) >> 1] as number
  const high = values[values.length >> 1] as number
  return Math.round(Math.abs(low) <= Math.abs(high) ? low : high)
}
