import { cidOf, cidOfDigest, cidOfHash } from '../core/codec/cid.ts'
import { InvalidMessageError, LimitExceededError, StarlingError } from '../core/codec/errors.ts'
import type { Cid, JobId } from '../core/codec/ids.ts'
import { JOBS_OPEN_MAX } from '../core/tasks/limits.ts'
import type { Manifest, SharedFile } from '../core/tasks/manifest.ts'
import { manifestHash, signManifest } from '../core/tasks/manifest-schema.ts'
import { heldToOutput } from '../core/tasks/output-terms.ts'
import { maximumCost } from '../core/tasks/pricing.ts'
import { decodeAttestation, encodeReceiptBundle } from '../core/tasks/receipt-codec.ts'
import type { RequesterNotice } from '../core/tasks/requester-events.ts'
import type {
  DryRun,
  JobDetail,
  JobSpec,
  JobSummary,
  NodeEvent,
  ResultItem,
  ResultView,
  UnitDetail,
  UnitGrid,
} from './contract.ts'
import type { InputStore } from './input-store.ts'
import { JobRecords, receiptInfo } from './job-records.ts'
import { JOB_OPTIONS_DEFAULT, jobOptions, manifestOfSpec, optionsOfManifest } from './job-spec.ts'
import { JobTracker } from './job-tracker.ts'
import type { PeerRecords } from './machines.ts'
import { type NodePorts, sha256 } from './ports.ts'
import { THROUGHPUT_STEP_MS } from './throughput.ts'
import { unitLimits, wholeInput } from './unit-runner.ts'

/** No job of that id is known to this peer. */
export class UnknownJobError extends StarlingError {
  override readonly name = 'UnknownJobError'
}

/** Results handed out at once, by their size: one answer must not hold up the worker. */
const RESULTS_BYTES_MAX = 8 * 1024 * 1024
/** Outcomes read at once; an outcome has at most some MiB, so this bounds memory too. */
const RESULTS_READ_AHEAD = 16

interface Job {
  readonly id: JobId
  readonly manifest: Manifest
  readonly manifestCid: Cid
  readonly executeHere: boolean
  readonly createdAtMs: number
  readonly view: ResultView
  readonly tracker: JobTracker
  finishedAtMs: number | null
  /** Version of the tracker that listeners were told of. */
  toldVersion: number
}

/** What the book asks of the requester. */
export interface RequesterCommands {
  submit(job: JobId, spec: { manifest: Manifest; manifestCid: Cid; unitCount: number; executeHere: boolean }): void
  forget(job: JobId): void
}

/** The jobs this peer asked for: how they are made, what they look like now, and what came of them. */
export class JobBook {
  readonly records: JobRecords
  readonly #ports: NodePorts
  readonly #inputs: InputStore
  readonly #commands: RequesterCommands
  readonly #jobs = new Map<JobId, Job>()

  constructor(ports: NodePorts, inputs: InputStore, commands: RequesterCommands) {
    this.#ports = ports
    this.#inputs = inputs
    this.#commands = commands
    this.records = new JobRecords(ports.store, ports.blocks)
  }

  /** Puts back the jobs of before a restart. */
  async restore(jobs: PeerRecords['jobs']): Promise<void> {
    for (const { record, decided } of jobs) {
      const { job: id, spec, state, createdAtMs } = record
      const { view, finishedAtMs } = await this.records.meta(id)
      const { manifest, manifestCid, executeHere } = spec
      const tracker = new JobTracker(spec.unitCount, state)
      tracker.restore(decided)
      const toldVersion = tracker.version
      this.#jobs.set(id, {
        id,
        manifest,
        manifestCid,
        executeHere,
        createdAtMs,
        view,
        tracker,
        finishedAtMs,
        toldVersion,
      })
    }
  }

  manifestOf(job: JobId): Manifest | undefined {
    return this.#jobs.get(job)?.manifest
  }

  /** The manifest as this peer signed it, for whoever is to be shown it; `undefined` when the job was removed. */
  async signedManifestOf(job: JobId): Promise<Uint8Array | undefined> {
    const cid = this.#jobs.get(job)?.manifestCid
    return cid && (await this.#ports.blocks.get(cid))
  }

  /** Resolves with the job's id once everything it needs is durable. */
  async submit(spec: JobSpec): Promise<JobId> {
    this.#checkRoom()
    const { ports, blocks } = { ports: this.#ports, blocks: await this.#storeBlocks(spec) }
    const nowMs = ports.now()
    const manifest = manifestOfSpec(spec, { requester: ports.self, blocks, nowMs, random: ports.random })
    const report = await this.#prepare(manifest, spec)
    if (report.abi !== spec.abi) throw wrongAbi(spec.abi, report.abi)
    const { networkId: network, signer } = ports
    const signed = await signManifest(manifest, {
      network,
      signer,
      seq: 0,
      timestampMs: nowMs,
      nonce: ports.random(16),
    })
    const manifestCid = cidOf(signed.bytes, 'dag-cbor')
    const id = manifestHash(manifest)
    // Together, for one commit: the requester is told of the job only once it is all there.
    await Promise.all([
      ports.blocks.put(manifestCid, signed.bytes),
      this.#inputs.save(id, spec.inputs),
      this.records.saveMeta(id, { view: spec.view, finishedAtMs: null }),
    ])
    const unitCount = spec.inputs.length
    const executeHere = jobOptions(spec).useOwnWorkers
    const tracker = new JobTracker(unitCount, { state: 'running' })
    const { view } = spec
    const job: Job = {
      ...{ id, manifest, manifestCid, executeHere, createdAtMs: nowMs, view, tracker },
      finishedAtMs: null,
      toldVersion: -1,
    }
    this.#jobs.set(id, job)
    this.#commands.submit(id, { manifest, manifestCid, unitCount, executeHere })
    return id
  }

  /** Runs one unit of a spec here, without a job: what the page shows before anything is submitted. */
  async dryRun(spec: JobSpec, unit: number): Promise<DryRun> {
    const input = spec.inputs[unit]
    if (input === undefined) {
      throw new InvalidMessageError(`dryRun.unit is ${unit}, limit ${spec.inputs.length - 1}`, {
        field: 'unit',
        value: unit,
      })
    }
    const blocks = { module: cidOfDigest(await sha256(spec.module), 'raw'), files: [] }
    const { now, random, self: requester } = this.#ports
    const manifest = manifestOfSpec(spec, { requester, blocks, nowMs: now(), random })
    const started = now()
    const report = await this.#prepare(manifest, spec)
    if (report.abi !== spec.abi) throw wrongAbi(spec.abi, report.abi)
    const prepareMs = now() - started
    const execution = await this.#ports.sandbox.execute({
      module: manifest.module,
      name: manifest.name,
      input: wholeInput(manifest, input, spec.sharedFiles),
      limits: unitLimits(manifest),
      seed: random(32),
    })
    const { gas, durationMs, memoryBytesPeak } = execution
    const outcome = heldToOutput(execution.outcome, manifest.output)
    return { report, outcome, gas, durationMs, memoryBytesPeak, prepareMs }
  }

  apply(notice: RequesterNotice): void {
    const id = jobOf(notice)
    const job = id === undefined ? undefined : this.#jobs.get(id)
    if (job === undefined) return
    const nowMs = this.#ports.now()
    job.tracker.apply(notice, nowMs)
    const { state } = job.tracker.state()
    const finished = state === 'done' || state === 'cancelled' || state === 'failed'
    if (finished && job.finishedAtMs === null) {
      job.finishedAtMs = nowMs
      this.records
        .saveMeta(job.id, { view: job.view, finishedAtMs: nowMs })
        .catch(() => this.#ports.log.write('warn', 'jobs', 'The end of a job could not be noted'))
    }
  }

  /** Events for what changed since the last call; nothing for jobs that did not. */
  takeEvents(): NodeEvent[] {
    const events: NodeEvent[] = []
    for (const job of this.#jobs.values()) {
      const { tracker } = job
      if (tracker.version === job.toldVersion) continue
      job.toldVersion = tracker.version
      const changes = tracker.takeChanges()
      if (changes.length > 0) events.push({ type: 'units', jobId: job.id, changes, peers: tracker.peers })
      events.push({ type: 'job', jobId: job.id, summary: this.#summary(job) })
    }
    return events
  }

  summaries(): JobSummary[] {
    return [...this.#jobs.values()].map((job) => this.#summary(job)).sort((a, b) => b.createdAt - a.createdAt)
  }

  detail(id: string): JobDetail | null {
    const job = this.#jobs.get(id as JobId)
    if (job === undefined) return null
    const { manifest, tracker, executeHere } = job
    return {
      ...this.#summary(job),
      manifestHash: job.id,
      module: manifest.module,
      abi: manifest.abi,
      options: optionsOfManifest(manifest, executeHere),
      executorStats: tracker.executors(this.#ports.self),
      problems: tracker.problems(),
      throughput: tracker.throughput(this.#ports.now()),
      throughputStepMs: THROUGHPUT_STEP_MS,
    }
  }

  grid(id: string): UnitGrid | null {
    return this.#jobs.get(id as JobId)?.tracker.grid() ?? null
  }

  async unit(id: string, unit: number): Promise<UnitDetail | null> {
    const job = this.#jobs.get(id as JobId)
    if (job === undefined || unit < 0 || unit >= job.tracker.unitCount) return null
    const accepted = job.tracker.accepted(unit)
    const outcome = accepted === undefined ? null : await this.records.outcome(job.id, accepted)
    const receipts = await this.records.receipts(job.id, unit)
    return {
      unit,
      state: job.tracker.unitState(unit),
      input: await this.#inputs.read(job.id, unit),
      outcome,
      receipts: await Promise.all(
        receipts.map(async ({ receipt: signed, attestations }) => {
          const bytes = encodeReceiptBundle({ receipt: signed.bytes, attestations })
          const attesters = attestations.map((each) => decodeAttestation(each).signed.attester)
          const agrees = accepted?.outputHash === signed.receipt.outputHash && accepted.gas === signed.receipt.gas
          return receiptInfo(signed, { bytes, attestations: attesters, agrees })
        }),
      ),
      audited: accepted?.audited ?? false,
      conflicts: await this.records.conflicts(job.id, unit),
    }
  }

  async results(id: string, cursor: number, max: number): Promise<ResultItem[]> {
    const job = this.#find(id)
    const items: ResultItem[] = []
    let bytes = 0
    const wanted = job.tracker.acceptedOrder.slice(cursor, cursor + max)
    while (items.length < wanted.length && bytes < RESULTS_BYTES_MAX) {
      const some = wanted.slice(items.length, items.length + RESULTS_READ_AHEAD)
      // Read together: each read waits for the durable commit before it, which under load is most of its time.
      const outcomes = await Promise.all(some.map((accepted) => this.records.outcome(job.id, accepted)))
      for (const [at, outcome] of outcomes.entries()) {
        const accepted = some[at]
        if (accepted === undefined || bytes >= RESULTS_BYTES_MAX) break
        bytes += outcome.stdout.byteLength + outcome.stderr.byteLength
        for (const { content } of outcome.files) bytes += content.byteLength
        const { unit, executors } = accepted
        items.push({ unit, outcome, executor: executors[0] ?? '', agreeing: executors.length })
      }
    }
    return items
  }

  /** Every signed receipt with its attestations, one CBOR item after another (RFC 8742). */
  async exportReceipts(id: string): Promise<Uint8Array> {
    const job = this.#find(id)
    const bundles: Uint8Array[] = []
    for (let unit = 0; unit < job.tracker.unitCount; unit++) {
      for (const { receipt, attestations } of await this.records.receipts(job.id, unit)) {
        bundles.push(encodeReceiptBundle({ receipt: receipt.bytes, attestations }))
      }
    }
    const whole = new Uint8Array(bundles.reduce((sum, { byteLength }) => sum + byteLength, 0))
    let at = 0
    for (const bundle of bundles) {
      whole.set(bundle, at)
      at += bundle.byteLength
    }
    return whole
  }

  /** @throws {@link UnknownJobError} */
  id(id: string): JobId {
    return this.#find(id).id
  }

  /** Deletes a finished job with all that was kept of it. */
  async remove(id: string): Promise<void> {
    const job = this.#find(id)
    const { state } = job.tracker.state()
    if (state === 'running' || state === 'paused') {
      throw new InvalidMessageError('job.state is running, limit a finished or cancelled job', { field: 'job.state' })
    }
    this.#jobs.delete(job.id)
    const outcomes = job.tracker.acceptedOrder.map(({ outputHash }) => cidOfHash(outputHash))
    this.#commands.forget(job.id)
    await this.records.forget(job.id)
    await this.#inputs.delete(job.id)
    await this.records.deleteMeta(job.id)
    const inUse = new Set([...this.#jobs.values()].flatMap(({ manifest }) => blocksOf(manifest)))
    const unused = [job.manifestCid, ...blocksOf(job.manifest)].filter((cid) => !inUse.has(cid))
    await this.#ports.blocks.delete([...unused, ...outcomes])
  }

  async #storeBlocks(spec: JobSpec): Promise<{ module: Cid; files: SharedFile[] }> {
    const module = cidOfDigest(await sha256(spec.module), 'raw')
    await this.#ports.blocks.put(module, spec.module)
    const files: SharedFile[] = []
    for (const { path, content } of spec.sharedFiles) {
      const cid = cidOfDigest(await sha256(content), 'raw')
      await this.#ports.blocks.put(cid, content)
      files.push({ path, cid, bytes: content.byteLength })
    }
    return { module, files }
  }

  /** @throws `LimitExceededError` When too many jobs are open. */
  #checkRoom(): void {
    let open = 0
    for (const { tracker } of this.#jobs.values()) {
      const { state } = tracker.state()
      if (state === 'running' || state === 'paused') open++
    }
    if (open < JOBS_OPEN_MAX) return
    throw new LimitExceededError(`jobs is ${open} open ones, limit ${JOBS_OPEN_MAX}: wait for one or cancel it`, {
      field: 'jobs',
      value: open,
      limit: JOBS_OPEN_MAX,
    })
  }

  #prepare(manifest: Manifest, spec: JobSpec): Promise<DryRun['report']> {
    const { memoryBytesMax } = { ...JOB_OPTIONS_DEFAULT, ...spec.options }
    return this.#ports.sandbox.prepare(manifest.module, spec.module, { memoryBytesMax })
  }

  #summary(job: Job): JobSummary {
    const { tracker, manifest } = job
    const nowMs = this.#ports.now()
    const { state, reason } = tracker.state()
    const running = state === 'running'
    return {
      jobId: job.id,
      name: manifest.name,
      state,
      reason,
      counts: tracker.counts(),
      createdAt: job.createdAtMs,
      finishedAt: job.finishedAtMs,
      executors: tracker.executorCount,
      unitsPerSecond: running ? tracker.unitsPerSecond(nowMs) : 0,
      etaMs: running ? tracker.estimate(nowMs) : null,
      costMicro: tracker.costMicro,
      costMaxMicro: maximumCost(manifest, tracker.unitCount).total,
      view: job.view,
    }
  }

  #find(id: string): Job {
    const job = this.#jobs.get(id as JobId)
    if (job === undefined)
      throw new UnknownJobError(`No job ${id.slice(0, 80)} here`, { field: 'jobId', value: id.slice(0, 80) })
    return job
  }
}

function jobOf(notice: RequesterNotice): JobId | undefined {
  if (notice.type === 'jobChanged') return notice.progress.job
  return 'job' in notice ? notice.job : undefined
}

function blocksOf(manifest: Manifest): Cid[] {
  return [manifest.module, ...manifest.files.map(({ cid }) => cid)]
}

function wrongAbi(wanted: string, found: string | null): InvalidMessageError {
  return new InvalidMessageError(`job.abi is "${wanted}", limit what the module exports: ${found ?? 'neither ABI'}`, {
    field: 'job.abi',
    value: wanted,
    limit: found,
  })
}
