import type { NonceRanges } from '../../core/admission/nonce-ranges.ts'
import type { MinerMessage, MinerWorker, SpawnMiner, WorkInit } from './contract.ts'
import { MinerUnavailableError } from './errors.ts'
import { MINER_ANSWER_TIMEOUT_MS, MINER_RESTART_MS, MINER_RESTARTS_MAX, MINERS_MAX, RATE_WINDOW_MS } from './limits.ts'

export interface MinerInit {
  readonly spawn: SpawnMiner
  /** What the owner of the device lends; asked again before each chunk. */
  readonly lent: () => { readonly workers: number; readonly cpuShare: number }
}

export interface MiningRun {
  readonly work: WorkInit
  /** What was tried before; goes on from there. */
  readonly ranges: NonceRanges
  readonly onFound: (nonce: bigint) => void
  readonly onFailed: (error: Error) => void
  /** After every chunk: something is worth persisting. */
  readonly onProgress: () => void
}

export interface MinerStats {
  readonly workers: number
  readonly hashesPerSecond: number
}

/** One worker and what it was given. */
interface Seat {
  worker: MinerWorker | null
  ready: boolean
  /** The chunk under way, and the request's number. */
  chunk: number | null
  request: number
  pause: ReturnType<typeof setTimeout> | null
  timeout: ReturnType<typeof setTimeout> | null
}

/** Searches for a proof with several workers, until it is found or {@link stop} is called. One search at a time. */
export class Miner {
  readonly #init: MinerInit
  readonly #seats: Seat[] = []
  readonly #tried: { readonly at: number; readonly hashes: number }[] = []
  #run: MiningRun | null = null
  #requests = 0
  #restarts = 0
  #startedAt = 0

  constructor(init: MinerInit) {
    this.#init = init
  }

  get running(): boolean {
    return this.#run !== null
  }

  stats(): MinerStats {
    const now = performance.now()
    while (this.#tried[0] !== undefined && now - this.#tried[0].at > RATE_WINDOW_MS) this.#tried.shift()
    const hashes = this.#tried.reduce((sum, { hashes: count }) => sum + count, 0)
    const spanMs = Math.min(RATE_WINDOW_MS, Math.max(1, now - this.#startedAt))
    return { workers: this.#seats.length, hashesPerSecond: this.#run === null ? 0 : (hashes * 1_000) / spanMs }
  }

  /** Begins a search; a search that runs is left off. */
  start(run: MiningRun): void {
    this.stop()
    this.#run = run
    this.#restarts = 0
    this.#startedAt = performance.now()
    this.#fill()
  }

  /** Ends the search. Chunks under way are given back; the workers go. */
  stop(): void {
    const run = this.#run
    this.#run = null
    this.#tried.length = 0
    for (const seat of this.#seats.splice(0)) this.#vacate(seat, run)
  }

  /** As many seats as cores are lent. */
  #fill(): void {
    if (this.#run === null) return
    const wanted = Math.min(MINERS_MAX, Math.max(1, this.#init.lent().workers))
    while (this.#seats.length > wanted) {
      const seat = this.#seats.pop()
      if (seat !== undefined) this.#vacate(seat, this.#run)
    }
    while (this.#seats.length < wanted) this.#take()
  }

  #take(): void {
    const seat: Seat = { worker: null, ready: false, chunk: null, request: 0, pause: null, timeout: null }
    this.#seats.push(seat)
    seat.worker = this.#init.spawn({
      message: (message) => this.#receive(seat, message),
      failed: (reason) => this.#failed(seat, reason),
    })
    this.#await(seat)
  }

  #receive(seat: Seat, message: MinerMessage): void {
    const run = this.#run
    if (run === null || !this.#seats.includes(seat)) return
    if (message.type === 'fault') return this.#failed(seat, message.message)
    if (message.type === 'ready') {
      seat.ready = true
      return this.#feed(seat)
    }
    if (message.id !== seat.request || seat.chunk === null) return
    this.#tried.push({ at: performance.now(), hashes: message.hashes })
    run.ranges.done(seat.chunk)
    seat.chunk = null
    if (message.found !== null) {
      this.stop()
      return run.onFound(message.found)
    }
    run.onProgress()
    this.#fill()
    if (!this.#seats.includes(seat)) return
    const { cpuShare } = this.#init.lent()
    // A core that is lent for a part of its time rests for the other part.
    const restMs = message.durationMs * (1 / cpuShare - 1)
    if (restMs < 1) return this.#feed(seat)
    if (seat.timeout !== null) clearTimeout(seat.timeout)
    seat.pause = setTimeout(() => this.#feed(seat), restMs)
  }

  #feed(seat: Seat): void {
    const run = this.#run
    const next = run?.ranges.take()
    if (run === null || next === undefined || next === null) return
    seat.chunk = next.chunk
    seat.request = ++this.#requests
    this.#await(seat)
    seat.worker?.post({ type: 'mine', id: seat.request, work: run.work, first: next.first, count: next.count })
  }

  #await(seat: Seat): void {
    if (seat.timeout !== null) clearTimeout(seat.timeout)
    seat.timeout = setTimeout(() => this.#failed(seat, 'it does not answer'), MINER_ANSWER_TIMEOUT_MS)
  }

  #failed(seat: Seat, reason: string): void {
    const run = this.#run
    const index = this.#seats.indexOf(seat)
    if (run === null || index < 0) return
    this.#seats.splice(index, 1)
    this.#vacate(seat, run)
    if (++this.#restarts > MINER_RESTARTS_MAX) {
      this.stop()
      return run.onFailed(new MinerUnavailableError(`The miner failed ${this.#restarts} times: ${reason}`))
    }
    setTimeout(() => this.#fill(), MINER_RESTART_MS)
  }

  #vacate(seat: Seat, run: MiningRun | null): void {
    if (seat.pause !== null) clearTimeout(seat.pause)
    if (seat.timeout !== null) clearTimeout(seat.timeout)
    if (seat.chunk !== null) run?.ranges.giveBack(seat.chunk)
    seat.worker?.terminate()
  }
}
