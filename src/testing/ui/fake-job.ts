import type { UnitOutcome } from '../../core/tasks/unit.ts'
import {
  type JobDetail,
  type JobSpec,
  type JobState,
  type JobSummary,
  type ReceiptInfo,
  type ResultItem,
  UNIT_STATE,
  type UnitDetail,
  type UnitGrid,
} from '../../node/contract.ts'
import { PEERS } from './fake-peers.ts'

const LEASED_MAX = 40
const ACCEPTED_PER_STEP = 30
const NOTHING = new Uint8Array(0)

/** A job that goes on by itself: units are lent in order, accepted a little later, and some end badly. */
export class FakeJob {
  readonly #jobId: string
  readonly #spec: JobSpec
  readonly #states: Uint8Array
  readonly #executors: Uint16Array
  readonly #order: number[] = []
  readonly #createdAt = Date.now()
  readonly #throughput: number[] = []
  #state: JobState = 'running'
  #next = 0
  #version = 0
  #finishedAt: number | null = null

  constructor(jobId: string, spec: JobSpec) {
    this.#jobId = jobId
    this.#spec = spec
    this.#states = new Uint8Array(spec.inputs.length)
    this.#executors = new Uint16Array(spec.inputs.length)
  }

  set(state: JobState): void {
    this.#state = state
    if (state === 'cancelled') this.#finishedAt = Date.now()
  }

  /** What changed, or `null` when the job stands still. */
  step(): Uint32Array | null {
    if (this.#state !== 'running') return null
    const changed: number[] = []
    const set = (unit: number, state: number): void => {
      this.#states[unit] = state
      this.#executors[unit] ||= 1 + (unit % PEERS.length)
      changed.push(unit, state, this.#executors[unit] ?? 0)
    }
    const leased = this.#next - this.#order.length
    for (let i = 0; i < Math.min(leased, ACCEPTED_PER_STEP); i++) {
      const unit = this.#order.length
      this.#order.push(unit)
      set(
        unit,
        unit % 97 === 13 ? UNIT_STATE.unsuccessful : unit % 41 === 7 ? UNIT_STATE.accepted : UNIT_STATE.verified,
      )
    }
    while (this.#next < this.#states.length && this.#next - this.#order.length < LEASED_MAX) {
      set(this.#next, this.#next % 3 === 0 ? UNIT_STATE.verifying : UNIT_STATE.leased)
      this.#next++
    }
    this.#throughput.push(Math.min(leased, ACCEPTED_PER_STEP))
    this.#version++
    if (this.#order.length === this.#states.length) {
      this.#state = 'done'
      this.#finishedAt = Date.now()
    }
    return Uint32Array.from(changed)
  }

  summary(): JobSummary {
    const count = (state: number): number => this.#states.filter((each) => each === state).length
    return {
      jobId: this.#jobId,
      name: this.#spec.name,
      state: this.#state,
      reason: null,
      counts: {
        units: this.#states.length,
        pending: count(UNIT_STATE.pending),
        leased: count(UNIT_STATE.leased),
        verifying: count(UNIT_STATE.verifying),
        accepted: this.#order.length,
        verified: count(UNIT_STATE.verified) + count(UNIT_STATE.unsuccessful),
        unsuccessful: count(UNIT_STATE.unsuccessful),
        failed: 0,
      },
      createdAt: this.#createdAt,
      finishedAt: this.#finishedAt,
      executors: PEERS.length,
      unitsPerSecond: 118.4,
      etaMs: { low: 8_000, middle: 9_700, high: 12_400 },
      costMicro: 5_432n,
      costMaxMicro: 120_000n,
      view: this.#spec.view,
    }
  }

  detail(): JobDetail {
    return {
      ...this.summary(),
      manifestHash: 'ab'.repeat(32),
      module: 'bafkreifakefakefakefakefakefakefakefakefakefakefakefakefake',
      abi: this.#spec.abi,
      options: {
        replicas: 2,
        quorum: 2,
        auditPpm: 10_000,
        useOwnWorkers: true,
        priority: 5,
        memoryBytesMax: 2 ** 27,
        gasMax: 1n << 40n,
        wallMsMax: 30_000,
        stackBytesMax: 2 ** 18,
        outputBytesMax: 2 ** 24,
        pricePerSecondMicro: 10n,
        pricePerMebibyteMicro: 1n,
        priceMaxMicro: 100n,
        ...this.#spec.options,
      },
      executorStats: PEERS.map((peerId, i) => ({
        peerId,
        self: i === 0,
        inFlight: i,
        delivered: 10 * i,
        accepted: 9 * i,
        failed: i % 3,
        meanMs: 41.7 * (i + 1),
        costMicro: BigInt(100 * i),
        excludedBecause: i === 5 ? 'wrong-result' : null,
      })),
      problems: [
        {
          code: 'vanished',
          count: 3,
          peers: PEERS.slice(0, 2),
          example: 'Unit 12',
          consequence: 'Its units were given to others',
          lastAt: Date.now() - 5_000,
        },
      ],
      throughput: this.#throughput.slice(),
      throughputStepMs: 250,
    }
  }

  grid(): UnitGrid {
    return { version: this.#version, states: this.#states, executors: this.#executors, peers: PEERS }
  }

  unit(unit: number): UnitDetail | null {
    const input = this.#spec.inputs[unit]
    if (input === undefined) return null
    const states = Object.keys(UNIT_STATE) as (keyof typeof UNIT_STATE)[]
    const done = unit < this.#order.length
    return {
      unit,
      state: states[this.#states[unit] ?? 0] ?? 'pending',
      input,
      outcome: done ? this.outcome(unit) : null,
      receipts: done ? [receipt(unit, 0, 1), receipt(unit, 1, 0)] : [],
      audited: unit % 5 === 0,
      conflicts: unit === 3 ? 1 : 0,
    }
  }

  results(cursor: number, max: number): ResultItem[] {
    return this.#order.slice(cursor, cursor + max).map((unit) => ({
      unit,
      outcome: this.outcome(unit),
      executor: PEERS[unit % PEERS.length] ?? '',
      agreeing: 2,
    }))
  }

  outcome(unit: number): UnitOutcome {
    const base = { exitCode: 0, trap: null, stderr: NOTHING, files: [] }
    if (unit % 97 === 13) return { ...base, exitCode: -1, trap: 'gas', stdout: NOTHING }
    const { view } = this.#spec
    if (view.kind !== 'tiles')
      return { ...base, stdout: new TextEncoder().encode(`{"unit":${unit},"steps":${unit * 7}}`) }
    const stdout = new Uint8Array(view.tileWidth * view.tileHeight * 4)
    for (let at = 0; at < stdout.length; at += 4) stdout.set([unit % 256, (at / 256) % 256, 120, 255], at)
    return { ...base, stdout }
  }
}

function receipt(unit: number, peer: number, firstByte: number): ReceiptInfo {
  return {
    bytes: new Uint8Array([firstByte, 2, 3]),
    executor: PEERS[peer] ?? '',
    manifestHash: 'ab'.repeat(32),
    unit,
    inputHash: 'cd'.repeat(32),
    outputHash: 'ef'.repeat(32),
    success: true,
    exitCode: 0,
    trap: null,
    gas: 12_345_678n,
    durationMs: 41.7,
    memoryBytesPeak: 131_072,
    startedAt: Date.now() - 30_000,
    costMicro: 12n,
    attestations: PEERS.slice(0, 1),
    agrees: peer === 0,
  }
}
