import { type BatchOptions, type Signed, verifyBatch } from '../core/identity/verify-batch.ts'

/** The delay after a comparison that depends on a secret: drawn anew each time, well above what one early exit would save. */
export const JITTER_US_MIN = 100
export const JITTER_US_MAX = 500

export interface JitterPorts {
  /** Milliseconds, with a part of them; never runs backwards. */
  now(): number
  random(bytes: number): Uint8Array
  /** Resolves in a later turn, as soon as there is one. */
  turn(): Promise<void>
}

/**
 * Answers a question whose work depends on a secret 100 to 500 µs late, at random, whatever the answer is and also when it throws.
 *
 * This blurs what a stranger could measure of one comparison; it hides no systematic difference from somebody who may ask without
 * end, so comparisons are constant in time in the first place (`constantTimeEqual`), and who asks often is refused.
 */
export class Jitter {
  readonly #ports: JitterPorts

  constructor(ports: JitterPorts = platformPorts()) {
    this.#ports = ports
  }

  /** Holds up the thread for the delay: for places that cannot wait. */
  verifyWithJitterSync(compare: () => boolean): boolean {
    const delayMs = this.#delayMs()
    try {
      return compare()
    } finally {
      const { now } = this.#ports
      const untilMs = now() + delayMs
      while (now() < untilMs);
    }
  }

  /** Lets others run during the delay. Timers are too coarse for it, so it waits turn by turn. */
  async verifyWithJitter(compare: () => boolean | Promise<boolean>): Promise<boolean> {
    const delayMs = this.#delayMs()
    try {
      return await compare()
    } finally {
      await this.#wait(delayMs)
    }
  }

  /** Verifies signatures as one batch in a random order; all verdicts come at once, after one delay. */
  async verifyBatchWithJitter(items: readonly Signed[], options: BatchOptions): Promise<boolean[]> {
    const delayMs = this.#delayMs()
    try {
      return await verifyBatch(items, options)
    } finally {
      await this.#wait(delayMs)
    }
  }

  async #wait(delayMs: number): Promise<void> {
    const { now, turn } = this.#ports
    const untilMs = now() + delayMs
    while (now() < untilMs) await turn()
  }

  /** Drawn before the work, so that drawing it is no part of what is measured afterwards. */
  #delayMs(): number {
    const [high = 0, low = 0] = this.#ports.random(2)
    const share = (high * 256 + low) / 65_535
    return (JITTER_US_MIN + share * (JITTER_US_MAX - JITTER_US_MIN)) / 1_000
  }
}

function platformPorts(): JitterPorts {
  return {
    now: () => performance.now(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    turn: nextTurn,
  }
}

/** A turn of the event loop by a message to oneself: a timer would be clamped to some milliseconds. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
