import { CLOCK } from './abi.ts'
import { fail } from './fault.ts'

/** Time that passes with every reading or stamp of the clock, and so its resolution, nanoseconds. */
export const CLOCK_STEP_NS = 1_000n

const U64_MAX = 2n ** 64n - 1n
const NS_PER_MS = 1_000_000n

/**
 * Virtual time: it moves by one step for every reading, and by sleeping, and by nothing else, so that two executors of a
 * unit see the same times. Sleeping costs no CPU time.
 */
export class VirtualClock {
  readonly #epochNs: bigint
  #ranNs = 0n
  #sleptNs = 0n

  constructor(startTimeMs: number) {
    this.#epochNs = BigInt(Math.trunc(startTimeMs)) * NS_PER_MS
  }

  /** Moves on by one step and reads a clock, nanoseconds. @throws EINVAL for a clock that does not exist. */
  read(id: number): bigint {
    this.#ranNs += CLOCK_STEP_NS
    return this.peek(id)
  }

  /** Reads a clock without moving it, nanoseconds. */
  peek(id: number): bigint {
    switch (id) {
      case CLOCK.realtime:
        return clamp(this.#epochNs + this.#ranNs + this.#sleptNs)
      case CLOCK.monotonic:
        return clamp(this.#ranNs + this.#sleptNs)
      case CLOCK.processCputime:
      case CLOCK.threadCputime:
        return clamp(this.#ranNs)
      default:
        return fail('inval')
    }
  }

  /** The time to put on a file, nanoseconds since 1970. Two stamps are never the same. */
  stamp(): bigint {
    return this.read(CLOCK.realtime)
  }

  /** Lets `durationNs` pass without running. */
  sleep(durationNs: bigint): void {
    this.#sleptNs = clamp(this.#sleptNs + durationNs)
  }
}

function clamp(timeNs: bigint): bigint {
  return timeNs > U64_MAX ? U64_MAX : timeNs
}
