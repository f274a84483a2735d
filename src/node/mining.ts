import type { Beacon } from '../core/admission/beacon.ts'
import { MINING_SAVE_INTERVAL_MS, WORK_PASSES } from '../core/admission/limits.ts'
import { decodeNonceRecord, encodeNonceRecord, NonceRanges } from '../core/admission/nonce-ranges.ts'
import type { FoundedNetwork } from '../core/admission/policy.ts'
import { nonceBytes, type WorkTicket, workChallenge } from '../core/admission/ticket.ts'
import { compareBytes } from '../core/codec/bytes.ts'
import type { RootId } from '../core/codec/ids.ts'
import type { Store } from '../storage/store.ts'
import { Miner, type MinerInit } from '../workers/pow/miner.ts'
import type { MiningInfo } from './admission-contract.ts'

export interface MiningInit extends MinerInit {
  readonly network: FoundedNetwork
  readonly store: Store
  readonly onFound: (found: { readonly root: RootId; readonly ticket: WorkTicket; readonly beacon: Beacon }) => void
  readonly onFailed: (error: Error) => void
}

const BUCKET = 'admission'

interface Search {
  readonly root: RootId
  readonly beacon: Beacon
  readonly challenge: Uint8Array
  readonly ranges: NonceRanges
  /** Time spent before the part of the search that runs now. */
  elapsedMs: number
  startedAt: number | null
}

/** The search for this peer's own proof: goes on after a reload where it was. Rule [A13]. */
export class Mining {
  readonly #init: MiningInit
  readonly #miner: Miner
  readonly #key: string
  #search: Search | null = null
  #savedAt = 0

  constructor(init: MiningInit) {
    this.#init = init
    this.#miner = new Miner(init)
    this.#key = `nonces/${init.network.networkId}`
  }

  /** Searches for a proof of this identity and beacon; the same search goes on as it is. */
  async run(root: RootId, beacon: Beacon): Promise<void> {
    const { network } = this.#init
    const challenge = workChallenge({ networkId: network.networkId, root, beacon })
    if (this.#search === null || compareBytes(this.#search.challenge, challenge) !== 0) {
      this.#miner.stop()
      const { ranges, elapsedMs } = await this.#read(challenge)
      this.#search = { root, beacon, challenge, ranges, elapsedMs, startedAt: null }
    }
    if (this.#miner.running) return
    const search = this.#search
    search.startedAt = performance.now()
    this.#miner.start({
      work: {
        challenge,
        memoryKibibytes: network.policy.work.memoryKibibytes,
        passes: WORK_PASSES,
        difficultyBits: beacon.difficultyBits,
      },
      ranges: search.ranges,
      onFound: (nonce) => this.#found(search, nonce),
      onFailed: (error) => {
        this.#halt()
        this.#init.onFailed(error)
      },
      onProgress: () => {
        if (performance.now() - this.#savedAt >= MINING_SAVE_INTERVAL_MS) void this.save()
      },
    })
  }

  /** Rests; {@link run} goes on. */
  pause(): void {
    this.#miner.stop()
    this.#halt()
    void this.save()
  }

  /** {@link pause}, if it does not rest already. */
  rest(): void {
    if (this.#miner.running) this.pause()
  }

  /** There is nothing to search for any more. */
  drop(): void {
    this.#miner.stop()
    this.#search = null
  }

  info(): MiningInfo | null {
    const search = this.#search
    if (search === null) return null
    const { workers, hashesPerSecond } = this.#miner.stats()
    const hashesExpected = 2 ** search.beacon.difficultyBits
    return {
      state: this.#miner.running ? 'running' : 'paused',
      workers,
      difficultyBits: search.beacon.difficultyBits,
      memoryKibibytes: this.#init.network.policy.work.memoryKibibytes,
      epoch: search.beacon.epoch,
      hashes: search.ranges.hashes,
      hashesExpected,
      hashesPerSecond,
      etaMs: hashesPerSecond > 0 ? (hashesExpected / hashesPerSecond) * 1_000 : null,
      elapsedMs: elapsedOf(search),
    }
  }

  /** Writes how far the search came, so that nothing is tried twice. */
  async save(): Promise<void> {
    const search = this.#search
    if (search === null) return
    this.#savedAt = performance.now()
    const record = { ...search.ranges.record(), challenge: search.challenge, elapsedMs: Math.round(elapsedOf(search)) }
    const value = encodeNonceRecord(record)
    await this.#init.store.write([{ bucket: BUCKET, key: this.#key, value }]).catch(() => undefined)
  }

  stop(): void {
    this.#miner.stop()
  }

  #found({ root, beacon }: Search, nonce: bigint): void {
    this.#search = null
    const { memoryKibibytes } = this.#init.network.policy.work
    const { epoch, difficultyBits } = beacon
    const ticket: WorkTicket = {
      kind: 'work',
      epoch,
      memoryKibibytes,
      passes: WORK_PASSES,
      difficultyBits,
      nonce: nonceBytes(nonce),
    }
    this.#init.onFound({ root, ticket, beacon })
  }

  #halt(): void {
    const search = this.#search
    if (search === null) return
    search.elapsedMs = elapsedOf(search)
    search.startedAt = null
  }

  /** A record of another search, or a damaged one, is none. */
  async #read(challenge: Uint8Array): Promise<{ readonly ranges: NonceRanges; readonly elapsedMs: number }> {
    const bytes = await this.#init.store.get(BUCKET, this.#key)
    try {
      const record = bytes === undefined ? null : decodeNonceRecord(bytes)
      if (record !== null && compareBytes(record.challenge, challenge) === 0) {
        return { ranges: new NonceRanges(record), elapsedMs: record.elapsedMs }
      }
    } catch {
      // Begun again from nothing: what was tried is tried again, no more.
    }
    return { ranges: new NonceRanges(), elapsedMs: 0 }
  }
}

function elapsedOf({ elapsedMs, startedAt }: Search): number {
  return elapsedMs + (startedAt === null ? 0 : performance.now() - startedAt)
}
