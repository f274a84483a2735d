import type { JobId, PeerId, RootId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import { loadReceipts } from '../core/tasks/record-codec.ts'
import { signTrustAttestation } from '../core/trust/attestation.ts'
import { toPpm } from '../core/trust/fixed.ts'
import { ATTESTATION_RECEIPTS_MAX, ATTESTATIONS_TOLD_MAX } from '../core/trust/limits.ts'
import { tasksOf } from '../core/trust/score.ts'
import type { TrustRecord } from '../core/trust/trust-record.ts'
import type { TrustState } from '../core/trust/trust-state.ts'
import { recordReader } from './machines.ts'
import type { NodePorts } from './ports.ts'

/** A word is given anew when so much more is known, or it is so old. */
const TASKS_STEP_FACTOR = 1.5
const RENEW_AFTER_MS = 24 * 3_600_000
/** Attestations signed at one time: each reads receipts. */
const SIGNED_AT_ONCE_MAX = 16

interface Given {
  readonly tasks: number
  readonly atMs: number
  readonly bytes: Uint8Array
}

/** Signs what this peer found of those that worked for it, with the receipts that prove it. */
export class WordGiver {
  readonly #ports: NodePorts
  readonly #signedManifest: (job: JobId) => Promise<Uint8Array | undefined>
  readonly #given = new Map<RootId, Given>()

  constructor(ports: NodePorts, signedManifest: (job: JobId) => Promise<Uint8Array | undefined>) {
    this.#ports = ports
    this.#signedManifest = signedManifest
  }

  /** This peer's attestations now, of those it knows best. */
  async attestations(state: TrustState): Promise<Uint8Array[]> {
    const nowMs = this.#ports.now()
    const known = [...state.roots]
      .filter(({ root }) => state.ownScore(root, nowMs) !== null)
      .sort((a, b) => tasksOf(b.total) - tasksOf(a.total))
      .slice(0, ATTESTATIONS_TOLD_MAX)
    for (const root of this.#given.keys()) if (!known.some((record) => record.root === root)) this.#given.delete(root)
    const words: Uint8Array[] = []
    let signed = 0
    for (const record of known) {
      const given = this.#given.get(record.root)
      const tasks = tasksOf(record.total)
      const fresh =
        given !== undefined && tasks < given.tasks * TASKS_STEP_FACTOR && nowMs - given.atMs < RENEW_AFTER_MS
      if (fresh || signed >= SIGNED_AT_ONCE_MAX) {
        if (given !== undefined) words.push(given.bytes)
        continue
      }
      signed++
      const bytes = await this.#sign(state, record, nowMs)
      if (bytes === null) continue
      this.#given.set(record.root, { tasks, atMs: nowMs, bytes })
      words.push(bytes)
    }
    return words
  }

  /** `null` when no receipt is left to show: its jobs were deleted. */
  async #sign(state: TrustState, record: TrustRecord, nowMs: number): Promise<Uint8Array | null> {
    const { root, total, devices } = record
    const score = state.ownScore(root, nowMs)
    const { receipts, manifests } = await this.#proofs(record, devices)
    if (score === null || receipts.length === 0 || total.good < receipts.length) return null
    const { networkId: network, signer, random } = this.#ports
    const timestampMs = Math.floor(nowMs)
    const body = { subject: root, good: total.good, bad: total.bad, scorePpm: toPpm(score), receipts, manifests }
    // Time counts up, also over restarts: the newest word is the one that holds.
    return await signTrustAttestation(body, {
      network,
      signer,
      seq: timestampMs,
      timestampMs,
      nonce: random(NONCE_BYTES),
    })
  }

  async #proofs(
    record: TrustRecord,
    devices: ReadonlySet<PeerId>,
  ): Promise<{ receipts: Uint8Array[]; manifests: Uint8Array[] }> {
    const receipts: Uint8Array[] = []
    const manifests = new Map<JobId, Uint8Array>()
    const reader = recordReader(this.#ports.store)
    for (const { job, unit } of [...record.proofs].reverse()) {
      if (receipts.length === ATTESTATION_RECEIPTS_MAX) break
      const found = (await loadReceipts(reader, { job, unit })).find(({ receipt }) => devices.has(receipt.executor))
      const manifest = found && (manifests.get(job) ?? (await this.#signedManifest(job)))
      if (found === undefined || manifest === undefined) continue
      manifests.set(job, manifest)
      receipts.push(found.receipt.bytes)
    }
    return { receipts, manifests: [...manifests.values()] }
  }
}
