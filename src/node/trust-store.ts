import { sha256Hex } from '../core/codec/hash.ts'
import type { RootId } from '../core/codec/ids.ts'
import type { HeardAttestation } from '../core/trust/attestation.ts'
import { CONFLICTS_TOLD_MAX } from '../core/trust/limits.ts'
import {
  decodeHeardAttestation,
  decodeTrustRecord,
  encodeHeardAttestation,
  encodeTrustRecord,
} from '../core/trust/record-codec.ts'
import type { TrustRecord } from '../core/trust/trust-record.ts'
import type { Store, StoreOp } from '../storage/store.ts'

const RECORDS = 'trust'
const ATTESTATIONS = 'trust-attestations'
const CONFLICTS = 'trust-conflicts'

/** What a crash may lose of ordinary dealings; a bar is written at once. */
const SAVE_INTERVAL_MS = 1_000

export interface KeptTrust {
  readonly records: TrustRecord[]
  readonly attestations: HeardAttestation[]
  readonly conflicts: readonly Uint8Array[]
}

/** Keeps trust over restarts: what changed is written together, once a second. */
export class TrustStore {
  readonly #store: Store
  readonly #now: () => number
  readonly #onProblem: (message: string) => void
  readonly #dirty = new Map<RootId, TrustRecord>()
  #ops: StoreOp[] = []
  /** Where each conflict lies. */
  readonly #conflictKeys = new Map<Uint8Array, string>()
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(init: {
    readonly store: Store
    readonly now: () => number
    readonly onProblem: (message: string) => void
  }) {
    this.#store = init.store
    this.#now = init.now
    this.#onProblem = init.onProblem
  }

  /** Everything kept, longest idle first; damaged records are left out and named. */
  async load(): Promise<KeptTrust> {
    const records = await this.#read(RECORDS, decodeTrustRecord)
    records.sort((a, b) => (a.lastTaskMs ?? a.firstSeenMs) - (b.lastTaskMs ?? b.firstSeenMs))
    const attestations = await this.#read(ATTESTATIONS, decodeHeardAttestation)
    // Whoever is shown one verifies it, so a damaged one convinces nobody; the keys are in the order of time.
    const conflicts = await this.#read(CONFLICTS, (value) => value)
    return { records, attestations, conflicts: conflicts.slice(-CONFLICTS_TOLD_MAX) }
  }

  /** What is shown to others from now on, newest last; those that gave way are forgotten. */
  conflicts(before: readonly Uint8Array[], now: readonly Uint8Array[]): void {
    for (const gone of before.filter((each) => !now.includes(each))) {
      const key = this.#conflictKeys.get(gone)
      if (key !== undefined) this.#ops.push({ bucket: CONFLICTS, key, value: undefined })
      this.#conflictKeys.delete(gone)
    }
    for (const added of now.filter((each) => !this.#conflictKeys.has(each))) {
      const key = `${String(Math.floor(this.#now())).padStart(16, '0')}/${sha256Hex(added).slice(0, 16)}`
      this.#conflictKeys.set(added, key)
      this.#ops.push({ bucket: CONFLICTS, key, value: added })
    }
    this.#later()
  }

  changed(record: TrustRecord): void {
    this.#dirty.set(record.root, record)
    this.#later()
  }

  forgotten(root: RootId): void {
    this.#dirty.delete(root)
    this.#ops.push({ bucket: RECORDS, key: root, value: undefined })
    this.#later()
  }

  heard(attestation: HeardAttestation): void {
    this.#ops.push({
      bucket: ATTESTATIONS,
      key: attestationKey(attestation),
      value: encodeHeardAttestation(attestation),
    })
    this.#later()
  }

  unheard(attestation: HeardAttestation): void {
    this.#ops.push({ bucket: ATTESTATIONS, key: attestationKey(attestation), value: undefined })
    this.#later()
  }

  /** Resolves when everything so far is durable, or was given up on. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const nowMs = this.#now()
    const ops = this.#ops
    for (const [root, record] of this.#dirty) {
      ops.push({ bucket: RECORDS, key: root, value: encodeTrustRecord(record, nowMs) })
    }
    this.#ops = []
    this.#dirty.clear()
    if (ops.length === 0) return
    try {
      await this.#store.write(ops)
    } catch (error) {
      this.#onProblem(`Trust could not be stored: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #later(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      void this.flush()
    }, SAVE_INTERVAL_MS)
  }

  async #read<T>(bucket: string, decode: (value: Uint8Array) => T): Promise<T[]> {
    const found: T[] = []
    for await (const [key, value] of this.#store.list(bucket, '')) {
      try {
        if (bucket === CONFLICTS) this.#conflictKeys.set(value, key)
        found.push(decode(value))
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        this.#onProblem(`Damaged record ${bucket}/${key} is left alone: ${why}`)
      }
    }
    return found
  }
}

const attestationKey = ({ subject, attester }: HeardAttestation): string => `${subject}/${attester}`
