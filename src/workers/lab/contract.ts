/**
 * What the lab worker does: simulated training under attack, rule beside rule, away from the page's thread and without a network. One
 * interface, two implementations: {@link import('./service.ts').LabService} computes where it is, {@link import('./client.ts').LabClient}
 * talks to a worker.
 */
import type { LabRound } from '../../core/learning/lab.ts'
import type { LabSetting } from '../../core/learning/lab-setting.ts'
import type { PlainError } from '../sandbox/errors.ts'

/** How one rule did in a round that all rules have done. */
export interface LabReport {
  /** Id of the rule. */
  readonly rule: string
  /** Null once the model was driven beyond all numbers: such a rule has no more rounds. */
  readonly round: LabRound | null
}

export interface LabApi {
  /**
   * Runs a setting to its end; `onRound` hears of every round, all rules together. The same setting gives the same reports on one engine.
   * Errors by name: `InvalidLabSettingError`, `LabStoppedError`, `LabUnavailableError`.
   */
  run(setting: LabSetting, onRound: (reports: readonly LabReport[]) => void): Promise<void>
  /** Ends the run under way, after its round. */
  stop(): void
}

/** To the worker. */
export type LabRequest =
  | { readonly type: 'run'; readonly id: number; readonly setting: LabSetting }
  | { readonly type: 'stop' }

/** From the worker. */
export type LabMessage =
  | { readonly type: 'round'; readonly id: number; readonly reports: readonly LabReport[] }
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError }

export interface LabWorker {
  post(message: LabRequest): void
  terminate(): void
}

/** Starts a worker; each platform has its own. */
export type SpawnLab = (events: { message(message: LabMessage): void; failed(reason: string): void }) => LabWorker
