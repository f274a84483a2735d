import { cidOfDigest } from '../core/codec/cid.ts'
import type { Cid, Hash, PeerId } from '../core/codec/ids.ts'
import { addFixed, decodeVector, encodeVector, rootCeiling, squaredNorm } from '../core/learning/fixed.ts'
import { MILLIONTHS } from '../core/learning/limits.ts'
import type { RoundOutcome } from '../core/learning/messages.ts'
import { parameterCount } from '../core/learning/model.ts'
import type { PrivacyLedger } from '../core/learning/privacy/ledger.ts'
import { addNoise, stepOfPlan } from '../core/learning/privacy/noise.ts'
import { BLINDING_COORDINATES } from '../core/learning/proofs/limits.ts'
import type { NormStatement } from '../core/learning/proofs/norm-proof.ts'
import { normProofBytes } from '../core/learning/proofs/proof-size.ts'
import type { UpdateVerdict } from '../core/learning/round-events.ts'
import type { RoundHead } from '../core/learning/round-head.ts'
import { RoundSums, updatesKey } from '../core/learning/round-sums.ts'
import { initialState, type PeerUpdate } from '../core/learning/rules.ts'
import type { AgreeRequest, SumWork } from '../core/learning/secure-sum/events.ts'
import { groupMeans } from '../core/learning/secure-sum/groups.ts'
import type { RoundSumEffect } from '../core/learning/sum-events.ts'
import { isSecret, noisePlanOf, proofNormMax, sumGroups } from '../core/learning/sum-plan.ts'
import { type LearningTask, learningTaskId } from '../core/learning/task.ts'
import type { Aggregator } from '../workers/aggregation/contract.ts'
import type { Commitment, EncodedProof, Proofs } from '../workers/proofs/contract.ts'
import type { TrainingWorker } from '../workers/training/client.ts'
import type { Evaluation, LoadedDataset, TrainProgress } from '../workers/training/contract.ts'
import type { LearningData } from './learning-contract.ts'
import { sourceOf } from './learning-data.ts'
import { type NodePorts, sha256 } from './ports.ts'

export interface LearningWorkers {
  /** Started with the first task that is joined. */
  training(): TrainingWorker
  aggregation(): Aggregator
  /** Started with the first commitment. */
  proofs(): Proofs
  stop(): void
}

/** The seed of the held-out choice: the same samples are held out after a restart. */
const HELD_OUT_SEED = 1

/** Deviations of noise that an honest update's norm stays within; see {@link normMaxOf}. */
const NOISE_DEVIATIONS = 12

/** A loss below this doubles and halves by chance on a few samples, nats. */
const LOSS_MIN = 0.1

/** Largest norm of an honest update: the clip norm, and where noise is added √d + 12 of its deviations. */
export function normMaxOf(task: LearningTask, length: number): number {
  const noise = task.privacy === null ? 0 : task.privacy.noiseMillionths / MILLIONTHS
  return Math.ceil(task.clipNorm * (1 + noise * (Math.sqrt(length) + NOISE_DEVIATIONS)))
}

/** Which sum a proof is for. */
export interface ProofOf {
  readonly round: number
  readonly beacon: Uint8Array
}

/** The arithmetic of one task at one peer: trains, checks, scores and merges, in workers, on vectors kept as blocks. */
export class LearningWorker {
  readonly #ports: NodePorts
  readonly #task: LearningTask
  readonly #workers: LearningWorkers
  readonly #length: number
  readonly #vectors = new Map<Cid, Int32Array>()
  readonly #losses = new Map<Cid, Promise<Evaluation | null>>()
  readonly #sums = new Map<Hash, Int32Array>()
  #dataset: LoadedDataset | null = null
  /** Reads the data again; set while nothing is trained on it and the training worker does not hold it. */
  #reread: (() => Promise<LearningData | null>) | null = null

  constructor(ports: NodePorts, task: LearningTask, workers: LearningWorkers) {
    this.#ports = ports
    this.#task = task
    this.#workers = workers
    this.#length = parameterCount(task.architecture)
  }

  /** The data as it was last loaded; the training worker may have let go of it since, see {@link rest}. */
  get dataset(): LoadedDataset | null {
    return this.#dataset
  }

  /** Bytes of a model or an update. */
  get vectorBytes(): number {
    return this.#length * 4
  }

  /** @throws By name: `InvalidDatasetError`, `LimitExceededError`, `InvalidModelError`. */
  async load(data: LearningData): Promise<LoadedDataset> {
    const loaded = await this.#loaded(data)
    await this.unload()
    this.#losses.clear()
    this.#dataset = loaded
    return loaded
  }

  async unload(): Promise<void> {
    if (this.#dataset !== null && this.#reread === null) await this.#workers.training().unload(this.#dataset.id)
    this.#dataset = null
    this.#reread = null
  }

  /** Makes room in the training worker until the next training; what is scored meanwhile reads the data again. */
  async rest(reread: () => Promise<LearningData | null>): Promise<void> {
    if (this.#dataset === null || this.#reread !== null) return
    this.#reread = reread
    await this.#workers.training().unload(this.#dataset.id)
  }

  #loaded(data: LearningData): Promise<LoadedDataset> {
    const { validation } = this.#task
    const part = data.kind === 'bundled' ? data.part : undefined
    return this.#workers.training().load({
      source: sourceOf(data, this.#task),
      heldOutShare: validation.heldOutMillionths / MILLIONTHS,
      seed: HELD_OUT_SEED,
      partition: part === undefined ? null : { parts: part.of, part: part.index, alpha: null, seed: HELD_OUT_SEED },
      samplesMax: null,
    })
  }

  /** Has a model's, or the rule's state's, block here; fetches it if need be. */
  async have(cid: Cid, from: readonly PeerId[]): Promise<Int32Array> {
    const known = this.#vectors.get(cid)
    if (known !== undefined) return known
    const bytes = await this.#ports.source.fetch(cid, from, this.vectorBytes)
    const values = decodeVector(bytes, this.#length)
    await this.#ports.blocks.put(cid, bytes)
    this.#vectors.set(cid, values)
    return values
  }

  /** Makes a block of a vector, durable before it is spoken of. */
  async keep(values: Int32Array): Promise<Cid> {
    const bytes = encodeVector(values)
    const cid = cidOfDigest(await sha256(bytes), 'raw')
    await this.#ports.blocks.put(cid, bytes)
    this.#vectors.set(cid, values)
    return cid
  }

  /** Forgets vectors, here and on disk. */
  async forget(cids: readonly Cid[]): Promise<void> {
    for (const cid of cids) {
      this.#vectors.delete(cid)
      this.#losses.delete(cid)
    }
    await this.#ports.blocks.delete(cids)
  }

  /**
   * Trains for a round. What comes back has left nowhere: no block is made of it.
   *
   * @param ledger - Charged, and made durable by `charged`, before noise is drawn; `null` where no noise is added.
   */
  async train(options: {
    readonly job: string
    readonly model: Cid
    readonly ledger: PrivacyLedger | null
    readonly charged: (ledger: PrivacyLedger) => Promise<void>
    readonly onProgress: (progress: TrainProgress) => void
  }): Promise<{ readonly values: Int32Array; readonly loss: number }> {
    const { training, architecture, clipNorm } = this.#task
    // Joined again while it was laid to rest.
    const kept = await this.#reread?.()
    if (kept) await this.load(kept)
    const dataset = this.#dataset
    if (dataset === null) throw new Error('There is no data to train on')
    const weights = await this.have(options.model, [])
    const [seed = 0] = new Uint32Array(this.#ports.random(4).buffer)
    const trained = await this.#workers.training().train(
      {
        job: options.job,
        architecture,
        weights,
        dataset: dataset.id,
        options: {
          batchSize: training.batchSize,
          steps: training.localSteps,
          optimiser: training.optimiser,
          learningRate: training.learningRateMillionths / MILLIONTHS,
          momentum: training.momentumMillionths / MILLIONTHS,
          proximal: training.proximalMuMillionths / MILLIONTHS,
          seed,
          clipNorm,
        },
      },
      options.onProgress,
    )
    let values = trained.update
    const plan = noisePlanOf(this.#task)
    if (plan !== null && options.ledger !== null) {
      options.ledger.charge(stepOfPlan(plan, { length: this.#length }))
      await options.charged(options.ledger)
      values = addNoise(values, plan, { bytes: (count) => this.#ports.random(count) })
    }
    return { values, loss: trained.lossLast }
  }

  /** An update as all may see it, with its norm. */
  async publishable(values: Int32Array): Promise<{ readonly cid: Cid; readonly norm: number }> {
    return { cid: await this.keep(values), norm: normOf(values) }
  }

  /** Makes a block of a masked vector: it is noise to anyone but the sum. */
  async keepMasked(bytes: Uint8Array): Promise<Cid> {
    const cid = cidOfDigest(await sha256(bytes), 'raw')
    await this.#ports.blocks.put(cid, bytes)
    return cid
  }

  /** Gets a masked vector and keeps it for those that cannot reach its maker any more. */
  async pullMasked(vector: Cid, from: readonly PeerId[]): Promise<Uint8Array> {
    const blindingBytes = this.#task.proofs === undefined ? 0 : 4 * BLINDING_COORDINATES
    const bytes = await this.#ports.source.fetch(vector, from, this.vectorBytes + blindingBytes)
    await this.#ports.blocks.put(vector, bytes)
    return bytes
  }

  commit(values: Int32Array): Promise<Commitment> {
    return this.#workers.proofs().commit(values)
  }

  /** Proves the norm of what was committed to, and makes a block of the proof. */
  async prove(
    of: ProofOf & { readonly commitment: Uint8Array },
    opening: { readonly values: Int32Array; readonly blinding: Uint8Array },
  ): Promise<Cid> {
    const statement = this.#statement(of, this.#ports.self, of.commitment)
    const bytes = await this.#workers.proofs().prove({ statement, ...opening })
    return this.keepMasked(bytes)
  }

  /** Gets a proof and keeps it for others. */
  async pullProof(proof: Cid, from: readonly PeerId[]): Promise<void> {
    const bytes = await this.#ports.source.fetch(proof, from, this.#proofBytes)
    await this.#ports.blocks.put(proof, bytes)
  }

  /** Which proofs hold, and whether the commitments open to the sum. */
  async verifyProofs(
    of: ProofOf,
    { proofs, sum }: Pick<Extract<RoundSumEffect, { type: 'verifyProofs' }>, 'proofs' | 'sum'>,
  ): Promise<{ readonly holds: readonly boolean[]; readonly opens: boolean }> {
    const encoded: EncodedProof[] = []
    for (const { peer, commitment, proof } of proofs) {
      const bytes = (await this.#ports.blocks.get(proof)) ?? new Uint8Array()
      encoded.push({ statement: this.#statement(of, peer, commitment), proof: bytes })
    }
    const verdicts = await this.#workers.proofs().verify(encoded)
    const holds = verdicts.map((verdict) => verdict === 'holds')
    if (!holds.every(Boolean)) return { holds, opens: false }
    const commitments = proofs.map(({ commitment }) => commitment)
    return { holds, opens: await this.#workers.proofs().opensSum({ commitments, sum }) }
  }

  #statement({ round, beacon }: ProofOf, author: PeerId, commitment: Uint8Array): NormStatement {
    const task = learningTaskId(this.#task)
    const normMax = proofNormMax(this.#task)
    return { task, round, author, beacon, commitment, length: this.#length, normMax, projections: this.#projections }
  }

  get #projections(): number {
    return this.#task.proofs?.projections ?? 0
  }

  get #proofBytes(): number {
    return normProofBytes({ length: this.#length, projections: this.#projections })
  }

  agree(request: AgreeRequest): Promise<readonly (Uint8Array | null)[]> {
    return this.#workers.aggregation().agree(request)
  }

  sumWork(work: SumWork): Promise<Int32Array> {
    return this.#workers.aggregation().sum(work)
  }

  /** What a secure sum gave, for as long as its round lasts. */
  keepSum(updates: RoundOutcome['updates'], values: Int32Array): void {
    this.#sums.set(updatesKey(updates), values)
  }

  forgetSums(): void {
    this.#sums.clear()
  }

  cancel(job: string): void {
    if (this.#dataset !== null)
      void this.#workers
        .training()
        .cancel(job)
        .catch(() => undefined)
  }

  /** Pulls an announced update and says what it is worth here. */
  async check(options: {
    readonly model: Cid
    readonly update: Cid
    readonly norm: number | null
    readonly from: readonly PeerId[]
  }): Promise<UpdateVerdict> {
    let bytes: Uint8Array
    try {
      bytes = await this.#ports.source.fetch(options.update, options.from, this.vectorBytes)
    } catch (error) {
      return error instanceof Error && error.name === 'LimitExceededError' ? 'wrong-shape' : 'unavailable'
    }
    let values: Int32Array
    try {
      values = decodeVector(bytes, this.#length)
    } catch {
      return 'wrong-shape'
    }
    const norm = normOf(values)
    if (norm > normMaxOf(this.#task, this.#length)) return 'norm-over-bound'
    if (options.norm !== norm) return 'norm-differs'
    this.#vectors.set(options.update, values)
    const before = await this.evaluation(options.model)
    if (before === null) return 'unscored'
    const after = await this.#score(addFixedOrNull(await this.have(options.model, []), values))
    const factor = this.#task.validation.updateLossFactorMillionths / MILLIONTHS
    // A model that still does better than guessing is not spoiled: members whose data are unlike ours train away from us honestly.
    const guessing = Math.log(this.#task.classes.length)
    return after !== null && after.loss <= Math.max(before.loss * factor, guessing) ? 'good' : 'bad'
  }

  /** Merges a set of updates; `null` when the rule refuses it. Every peer gets the same bytes. */
  async aggregate(
    head: RoundHead,
    updates: readonly { readonly peer: PeerId; readonly update: Cid }[],
  ): Promise<{ readonly model: Cid; readonly state: Cid | null; readonly worse: boolean } | null> {
    const rows = isSecret(this.#task) ? this.#groupRows(head, updates) : this.#rows(updates)
    const { rule, validation } = this.#task
    const state =
      head.state === null ? initialState(this.#length) : { center: await this.have(head.state, head.roster) }
    // Clipped again: a hostile member does not clip. With noise the honest ones are above the clip norm, and may be.
    const bounded = { ...rule, clipNorm: this.#task.privacy === null ? this.#task.clipNorm : null }
    const merged = await this.#workers.aggregation().aggregate(rows, bounded, state)
    const weights = addFixedOrNull(await this.have(head.model, []), merged.values)
    if (weights === null) return null
    const model = await this.keep(weights)
    const kept = rule.rule === 'centered-clipping' ? await this.keep(merged.state.center) : null
    const [before, after] = [await this.evaluation(head.model), await this.evaluation(model)]
    const factor = validation.candidateLossFactorMillionths / MILLIONTHS
    const worse = before !== null && (after === null || !(after.loss <= Math.max(before.loss, LOSS_MIN) * factor))
    return { model, state: kept, worse }
  }

  #rows(updates: RoundOutcome['updates']): PeerUpdate[] {
    return updates.map(({ peer, update }) => {
      const values = this.#vectors.get(update)
      if (values === undefined) throw new Error(`Update ${update} of ${peer} is not here`)
      return { peer, values }
    })
  }

  /** The mean of each group's sum, in an update's place. Rule [Q10]. */
  #groupRows(head: RoundHead, updates: RoundOutcome['updates']): PeerUpdate[] {
    const id = learningTaskId(this.#task)
    const parts = new RoundSums(sumGroups(this.#task, id, head)).parts(updates).filter(({ length }) => length > 0)
    const sums = parts.map((part) => {
      const values = this.#sums.get(updatesKey(part))
      if (values === undefined) throw new Error(`The sum of ${part.length} contributors is not here`)
      return { contributors: part.map(({ peer }) => peer), values }
    })
    return groupMeans(sums).map(({ peer, values }) => ({ peer, values }))
  }

  /** A model on the held-out samples here; `null` without any. */
  evaluation(model: Cid): Promise<Evaluation | null> {
    const known = this.#losses.get(model)
    if (known !== undefined) return known
    const scored = this.have(model, []).then((weights) => this.#score(weights))
    this.#losses.set(model, scored)
    scored.catch(() => this.#losses.delete(model))
    return scored
  }

  async predict(model: Cid, features: Float32Array): Promise<Float32Array> {
    const weights = await this.have(model, [])
    const { architecture } = this.#task
    return (await this.#workers.training().predict({ architecture, weights, features })).probabilities
  }

  async #score(weights: Int32Array | null): Promise<Evaluation | null> {
    if (weights === null || this.#dataset === null || this.#dataset.heldOut === 0) return null
    if (this.#reread === null) return await this.#scoreOn(this.#dataset, weights)
    const data = await this.#reread()
    if (data === null) return null
    const loaded = await this.#loaded(data)
    try {
      return await this.#scoreOn(loaded, weights)
    } finally {
      await this.#workers.training().unload(loaded.id)
    }
  }

  #scoreOn(dataset: LoadedDataset, weights: Int32Array): Promise<Evaluation> {
    const { architecture } = this.#task
    return this.#workers.training().evaluate({ architecture, weights, dataset: dataset.id, part: 'held-out' })
  }
}

function normOf(values: Int32Array): number {
  return Number(rootCeiling(squaredNorm(values)))
}

/** The sum; `null` when it leaves I16F16. */
function addFixedOrNull(a: Int32Array, b: Int32Array): Int32Array | null {
  try {
    return addFixed(a, b)
  } catch {
    return null
  }
}
