import type { PeerId } from '../core/codec/ids.ts'
import type {
  ExecutorControls,
  ExecutorNotice,
  ExecutorStatus,
  Pause,
  PauseReason,
} from '../core/tasks/executor-events.ts'
import type { SandboxPool } from '../workers/sandbox/contract.ts'
import type { LendingSettings, LendingState, PlatformFact, Reason, RunningUnit } from './contract.ts'
import type { Settings } from './settings.ts'
import { Throughput } from './throughput.ts'

/** What lending tells the executor core. */
export interface ExecutorSwitches {
  controls(controls: ExecutorControls): void
  pause(pause: Pause): void
  resume(reason: PauseReason): void
}

/** A job's name as the executor's manifest says it. */
export type JobNames = (job: string) => string

const TOTALS_KEY = 'totals'

interface Totals {
  unitsDone: number
  unitsDelivered: number
  unitsFailed: number
  lentMs: number
  earnedMicro: bigint
}

/** What this device lends, to whose units, and why not when it does not. */
export class Lending {
  readonly #settings: Settings
  readonly #sandbox: SandboxPool
  readonly #switches: ExecutorSwitches
  readonly #jobName: JobNames
  readonly #now: () => number
  readonly #workersMax: number
  readonly #running = new Map<string, RunningUnit>()
  readonly #earnings = new Throughput()
  #chosen: LendingSettings
  #status: ExecutorStatus = { state: 'idle', reason: 'no-offers' }
  #totals: Totals = { unitsDone: 0, unitsDelivered: 0, unitsFailed: 0, lentMs: 0, earnedMicro: 0n }
  #onBattery = false
  #metered = false
  #dirty = false

  constructor(init: {
    readonly settings: Settings
    readonly chosen: LendingSettings
    readonly sandbox: SandboxPool
    readonly switches: ExecutorSwitches
    readonly jobName: JobNames
    readonly now: () => number
    readonly workersMax: number
  }) {
    this.#settings = init.settings
    this.#chosen = init.chosen
    this.#sandbox = init.sandbox
    this.#switches = init.switches
    this.#jobName = init.jobName
    this.#now = init.now
    this.#workersMax = init.workersMax
  }

  /** Puts back what was chosen and counted before a restart, and starts from it. */
  async start(): Promise<void> {
    const stored = await this.#settings.text(TOTALS_KEY)
    if (stored !== undefined) this.#totals = readTotals(stored)
    this.#apply()
    const { paused, untilMs } = await this.#settings.pause()
    if (paused && (untilMs === null || untilMs > this.#now())) this.#switches.pause({ reason: 'user', untilMs })
  }

  async set(change: Partial<LendingSettings>): Promise<void> {
    const chosen = { ...this.#chosen, ...change }
    chosen.workers = Math.min(Math.max(1, Math.round(chosen.workers)), this.#workersMax)
    await this.#settings.saveLending(chosen)
    this.#chosen = chosen
    this.#apply()
  }

  async pause(durationMs: number | null): Promise<void> {
    const untilMs = durationMs === null ? null : this.#now() + durationMs
    await this.#settings.savePause({ paused: true, untilMs })
    this.#switches.pause({ reason: 'user', untilMs })
  }

  async resume(): Promise<void> {
    await this.#settings.savePause({ paused: false, untilMs: null })
    this.#switches.resume('user')
  }

  /** Takes a fact that only the window can see. */
  tell(fact: PlatformFact): void {
    if (fact.kind === 'battery') this.#onBattery = !fact.charging
    if (fact.kind === 'metered') this.#metered = fact.metered
    this.#switch()
  }

  apply(notice: ExecutorNotice): void {
    switch (notice.type) {
      case 'statusChanged':
        this.#status = notice.status
        return
      case 'unitStarted':
        this.#running.set(`${notice.requester}/${notice.job}/${notice.unit}`, {
          jobId: notice.job,
          jobName: this.#jobName(notice.job),
          unit: notice.unit,
          requester: notice.requester,
          startedAt: this.#now(),
        })
        return
      case 'unitFinished':
        this.#ended(notice)
        this.#totals.unitsDone++
        this.#totals.lentMs += notice.durationUs / 1000
        this.#totals.earnedMicro += notice.costMicroUnits
        this.#earnings.count(this.#now(), Number(notice.costMicroUnits))
        this.#dirty = true
        return
      case 'unitReleased':
        this.#ended(notice)
        if (notice.reason !== 'paused' && notice.reason !== 'declined') this.#totals.unitsFailed++
        this.#dirty = true
        return
      case 'unitAcknowledged':
        this.#totals.unitsDelivered++
        this.#dirty = true
        return
      default:
        return
    }
  }

  /** Writes the totals if they changed; to be called now and then. */
  async save(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    const { earnedMicro, ...rest } = this.#totals
    await this.#settings.saveText(TOTALS_KEY, JSON.stringify({ ...rest, earnedMicro: String(earnedMicro) }))
  }

  state(): LendingState {
    const { unitsDone, unitsDelivered, unitsFailed, lentMs, earnedMicro } = this.#totals
    const working = this.#status.state === 'working'
    return {
      settings: this.#chosen,
      workersMax: this.#workersMax,
      active: this.#sandbox.stats().active,
      pausedBecause: pauseReasons(this.#status),
      idleBecause: this.#status.state === 'idle' ? { code: this.#status.reason } : null,
      running: [...this.#running.values()],
      queued: working ? (this.#status as Extract<ExecutorStatus, { state: 'working' }>).queued : 0,
      unitsDone,
      unitsDelivered,
      unitsFailed,
      lentMs,
      earnedMicro,
      earningMicroPerSecond: this.#earnings.rate(this.#now()),
    }
  }

  #ended({ requester, job, unit }: { readonly requester: PeerId; readonly job: string; readonly unit: number }): void {
    this.#running.delete(`${requester}/${job}/${unit}`)
  }

  #apply(): void {
    const { workers, cpuShare, optedIn } = this.#chosen
    this.#sandbox.configure({ workers, cpuShare })
    this.#switches.controls({ optedIn, workers, weights: [] })
    this.#switch()
  }

  /** What the device is on that its owner does not want to work on. */
  get spares(): 'battery' | 'metered' | null {
    return this.#conditions().find(([, holds]) => holds)?.[0] ?? null
  }

  #conditions(): readonly (readonly ['battery' | 'metered', boolean])[] {
    return [
      ['battery', this.#onBattery && this.#chosen.pauseOnBattery],
      ['metered', this.#metered && this.#chosen.pauseOnMetered],
    ]
  }

  /** Pauses by what the device is on, if its owner wants that. */
  #switch(): void {
    for (const [reason, holds] of this.#conditions()) {
      if (holds) this.#switches.pause({ reason, untilMs: null })
      else this.#switches.resume(reason)
    }
  }
}

function pauseReasons(status: ExecutorStatus): Reason[] {
  if (status.state !== 'paused') return []
  return status.reasons.map((code) =>
    code === 'user' && status.untilMs !== null ? { code, until: status.untilMs } : { code },
  )
}

function readTotals(text: string): Totals {
  const found = JSON.parse(text) as Record<string, unknown>
  const number = (key: string): number => (typeof found[key] === 'number' ? found[key] : 0)
  return {
    unitsDone: number('unitsDone'),
    unitsDelivered: number('unitsDelivered'),
    unitsFailed: number('unitsFailed'),
    lentMs: number('lentMs'),
    earnedMicro: typeof found.earnedMicro === 'string' ? BigInt(found.earnedMicro) : 0n,
  }
}
