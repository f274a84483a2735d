import { constants } from 'node:os'
import { InterruptedError } from './errors.ts'
import { SIGNAL_REPEAT_MS, STOP_TIMEOUT_MS } from './limits.ts'

/**
 * Everything a command started, to be stopped again in reverse order: when it is done, when it fails, and when somebody asks.
 */
export class Lifetime {
  readonly #stops: { readonly what: string; readonly stop: () => Promise<unknown> | unknown }[] = []
  readonly #interrupted = Promise.withResolvers<never>()
  readonly #complain: (line: string) => void
  #ending: Promise<void> | null = null
  #signalledAt = 0
  /** Set by the first signal. */
  signal: NodeJS.Signals | null = null

  constructor(complain: (line: string) => void) {
    this.#complain = complain
    this.#interrupted.promise.catch(() => undefined)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#interrupt(signal))
    // A crash must not leave a browser behind either.
    process.on('uncaughtException', (error: unknown) => {
      this.#complain(`Internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      void this.end().finally(() => process.exit(1))
    })
    // A promise nobody waited for, in a library: a room of people should not go down with one link.
    process.on('unhandledRejection', (error: unknown) => {
      this.#complain(
        `Internal error, going on: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      )
    })
  }

  /** Registers what has to be stopped. What comes after the end began is stopped at once. */
  async add(what: string, stop: () => Promise<unknown> | unknown): Promise<void> {
    if (this.#ending !== null) await stop()
    else this.#stops.push({ what, stop })
  }

  /** The promise's value, unless somebody interrupts first. @throws {@link InterruptedError} */
  async unlessInterrupted<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#interrupted.promise])
  }

  /** Waits until somebody interrupts. */
  async untilInterrupted(): Promise<void> {
    await this.#interrupted.promise.catch(() => undefined)
  }

  /** Stops everything, last started first; never throws and never takes longer than the limit. */
  end(): Promise<void> {
    this.#ending ??= this.#stopAll()
    return this.#ending
  }

  async #stopAll(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#complain(`Some of what was started did not stop within ${STOP_TIMEOUT_MS / 1000} s`)
        resolve()
      }, STOP_TIMEOUT_MS)
    })
    const stopped = (async () => {
      for (const { what, stop } of this.#stops.reverse()) {
        try {
          await stop()
        } catch (error) {
          this.#complain(`Stopping ${what}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    })()
    await Promise.race([stopped, late])
    clearTimeout(timer)
  }

  #interrupt(signal: NodeJS.Signals): void {
    const now = performance.now()
    if (this.signal !== null) {
      // npm and the terminal each send one Ctrl-C on, so a few come at once; the one after that is meant.
      if (now - this.#signalledAt > SIGNAL_REPEAT_MS) process.exit(128 + (constants.signals[signal] ?? 15))
      return
    }
    this.signal = signal
    this.#signalledAt = now
    this.#interrupted.reject(new InterruptedError(`Interrupted by ${signal}`, { signal }))
  }
}
