import { decode } from '../core/codec/cbor.ts'
import { bytes, list } from '../core/codec/fields.ts'
import type { JobId, PeerId } from '../core/codec/ids.ts'
import { RECORD_LIMITS } from '../core/codec/limits.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import type { SignedReceipt } from '../core/tasks/receipt.ts'
import { decodeReceipt } from '../core/tasks/receipt-codec.ts'
import { BUCKETS } from '../core/tasks/records.ts'
import type { OutcomeKey } from '../core/tasks/requester-events.ts'
import { keyText } from '../core/tasks/tally.ts'
import { type CheckedConflict, signConflict } from '../core/trust/conflict.ts'
import { EVIDENCE_BYTES_MAX } from '../core/trust/limits.ts'
import type { WrongProof } from '../core/trust/trust-state.ts'
import type { NodePorts } from './ports.ts'
import type { UnitToRun } from './unit-runner.ts'

/** Two contradicting receipts as the scheduler stored them, and what they prove. */
export interface FoundConflict {
  readonly accused: SignedReceipt
  readonly witness: SignedReceipt
  readonly proof: WrongProof
}

/** What the desk needs of the jobs of this peer. */
export interface JobMaterial {
  signedManifest(job: JobId): Promise<Uint8Array | undefined>
  /** The encoded input when it is small; `null` when it is a block. */
  inlineInput(job: JobId, unit: number): Promise<Uint8Array | null | undefined>
}

const pairSchema = list(bytes(1, EVIDENCE_BYTES_MAX), 2, 2)

/** Reads what the scheduler kept as evidence, makes statements of it that others can check, and checks theirs by running the unit. */
export class ConflictDesk {
  readonly #ports: NodePorts
  readonly #jobs: JobMaterial
  readonly #recompute: (work: UnitToRun) => Promise<OutcomeKey>

  constructor(ports: NodePorts, jobs: JobMaterial, recompute: (work: UnitToRun) => Promise<OutcomeKey>) {
    this.#ports = ports
    this.#jobs = jobs
    this.#recompute = recompute
  }

  /** The evidence against an executor of a job that was written last; `null` when there is none. */
  async find(job: JobId, accused: PeerId): Promise<FoundConflict | null> {
    let found: FoundConflict | null = null
    for await (const [key, value] of this.#ports.store.list(BUCKETS.evidence, `${job}/`)) {
      if (!key.endsWith(`/${accused}`)) continue
      const pair = decode(value, { what: 'evidence', limits: RECORD_LIMITS, schema: pairSchema })
      const [first, second] = pair.map((each) => decodeReceipt(each).signed) as [SignedReceipt, SignedReceipt]
      found = { accused: first, witness: second, proof: this.#proofOf(first, second) }
    }
    return found
  }

  #proofOf(accused: SignedReceipt, witness: SignedReceipt): WrongProof {
    if (witness.executor === this.#ports.self) return 'recomputed'
    const same = accused.executor === witness.executor
    return same && keyText(accused.receipt) !== keyText(witness.receipt) ? 'equivocation' : 'outvoted'
  }

  /** A statement that others can check; `null` when its parts are gone, or the one receipt is all there is. */
  async statementOf({ accused, witness }: FoundConflict): Promise<Uint8Array | null> {
    if (keyText(accused.receipt) === keyText(witness.receipt)) return null
    // A receipt names its job by the manifest's hash, which is the job's id.
    const job = accused.receipt.manifest as JobId
    const manifest = await this.#jobs.signedManifest(job)
    const input = await this.#jobs.inlineInput(job, accused.receipt.unit)
    if (manifest === undefined || input === undefined) return null
    const { networkId: network, signer, now, random } = this.#ports
    const body = { accused: accused.bytes, witness: witness.bytes, manifest, input }
    return await signConflict(body, { network, signer, seq: 0, timestampMs: now(), nonce: random(NONCE_BYTES) })
  }

  /** Runs the unit here and says which of the two is wrong. @throws By name, when it cannot be run here. */
  async look(conflict: CheckedConflict): Promise<{ readonly accusedWrong: boolean; readonly witnessWrong: boolean }> {
    const { accused, witness, manifest, input, author } = conflict
    const { unit, inputHash, manifest: job } = accused.receipt
    const work = { job: job as JobId, manifest, unit, inputHash, input, from: [author] }
    const truth = keyText(await this.#recompute(work))
    return {
      accusedWrong: keyText(accused.receipt) !== truth,
      witnessWrong: keyText(witness.receipt) !== truth,
    }
  }
}

/** For a stored list that is read by others. */
export const evidenceBytes = ({ accused, witness }: FoundConflict): readonly Uint8Array[] => [
  accused.bytes,
  witness.bytes,
]
