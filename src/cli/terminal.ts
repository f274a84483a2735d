import { once } from 'node:events'
import { PROGRESS_INTERVAL_MS } from './limits.ts'

/**
 * Where a command's words go: results to stdout, everything else to stderr, and progress only where a person can see it move.
 */
export class Terminal {
  readonly json: boolean
  readonly #quiet: boolean
  #progress = ''
  #drawnAt = 0
  #broken = false
  readonly #onBroken = new Set<() => void>()

  constructor(options: { readonly json?: boolean; readonly quiet?: boolean } = {}) {
    this.json = options.json ?? false
    this.#quiet = options.quiet ?? false
    // `starling run … | head`: the reader has what it wanted. Not an error, and nothing to print it to.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
      this.#broken = true
      for (const listener of this.#onBroken) listener()
    })
    process.stderr.on('error', () => undefined)
  }

  /** Whether the reader of stdout went away. */
  get broken(): boolean {
    return this.#broken
  }

  onBroken(listener: () => void): void {
    this.#onBroken.add(listener)
  }

  /** One line for the person. */
  say(line: string): void {
    if (this.#quiet) return
    this.#clear()
    process.stderr.write(`${line}\n`)
    this.#draw()
  }

  /** One line that is shown although everything else is quiet. */
  complain(line: string): void {
    this.#clear()
    process.stderr.write(`${line}\n`)
    this.#draw()
  }

  /** Replaces the progress line; only on a terminal, at most ten times a second. */
  progress(line: string): void {
    if (this.#quiet || !process.stderr.isTTY) return
    const now = performance.now()
    if (now - this.#drawnAt < PROGRESS_INTERVAL_MS) return
    this.#drawnAt = now
    this.#clear()
    this.#progress = line
    this.#draw()
  }

  endProgress(): void {
    this.#clear()
    this.#progress = ''
    this.#drawnAt = 0
  }

  /** Bytes of a result. Waits for a slow reader; does nothing once the reader is gone. */
  async write(data: string | Uint8Array): Promise<void> {
    if (this.#broken) return
    if (!process.stdout.write(data) && !this.#broken) {
      await Promise.race([once(process.stdout, 'drain'), new Promise<void>((resolve) => this.onBroken(resolve))])
    }
  }

  /** Resolves when what was written has left this process. */
  async flush(): Promise<void> {
    if (this.#broken) return
    await new Promise<void>((resolve) => {
      this.onBroken(resolve)
      process.stdout.write('', () => resolve())
    })
  }

  /** A value as one line of JSON; big integers as text. */
  async writeJson(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item))}\n`)
  }

  #clear(): void {
    if (this.#progress !== '') process.stderr.write('\r\x1b[2K')
  }

  #draw(): void {
    const width = (process.stderr.columns ?? 80) - 1
    if (this.#progress !== '') process.stderr.write(this.#progress.slice(0, width))
  }
}
