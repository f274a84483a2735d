import type { LabSetting } from '../../core/learning/lab-setting.ts'
import { fromPlainError } from '../sandbox/errors.ts'
import type { LabApi, LabMessage, LabReport, LabWorker, SpawnLab } from './contract.ts'
import { LabStoppedError, LabUnavailableError } from './errors.ts'
import { LAB_SILENCE_MS } from './limits.ts'

interface Run {
  readonly id: number
  onRound(reports: readonly LabReport[]): void
  resolve(): void
  reject(error: Error): void
}

/** {@link LabApi} in a worker, which is started with the first run. A new run takes the place of the one under way. */
export class LabClient implements LabApi {
  readonly #spawn: SpawnLab
  readonly #silenceMs: number
  #worker: LabWorker | null = null
  #run: Run | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #nextId = 0

  /** @param options.silenceMs - After this long without a word a run is given up. @default LAB_SILENCE_MS */
  constructor(spawn: SpawnLab, options: { readonly silenceMs?: number } = {}) {
    this.#spawn = spawn
    this.#silenceMs = options.silenceMs ?? LAB_SILENCE_MS
  }

  run(setting: LabSetting, onRound: (reports: readonly LabReport[]) => void): Promise<void> {
    this.stop()
    return new Promise((resolve, reject) => {
      const run: Run = { id: this.#nextId++, onRound, resolve, reject }
      this.#run = run
      this.#listen()
      this.#worker ??= this.#start()
      this.#worker.post({ type: 'run', id: run.id, setting })
    })
  }

  stop(): void {
    if (this.#run === null) return
    this.#worker?.post({ type: 'stop' })
    this.#end()?.reject(new LabStoppedError('The run was stopped'))
  }

  /** Stops the run under way and ends the worker; the next run starts another. */
  terminate(): void {
    this.#abandon(new LabStoppedError('The lab was closed'))
  }

  #start(): LabWorker {
    const worker = this.#spawn({
      // What a worker that was given up says no longer counts.
      message: (message) => this.#worker === worker && this.#hear(message),
      failed: (reason) =>
        this.#worker === worker && this.#abandon(new LabUnavailableError(`The lab worker ended: ${reason}`)),
    })
    return worker
  }

  #hear(message: LabMessage): void {
    // The last words of a run that was stopped.
    if (message.id !== this.#run?.id) return
    if (message.type === 'round') {
      this.#listen()
      return this.#run.onRound(message.reports)
    }
    const run = this.#end()
    if (message.type === 'done') run?.resolve()
    else run?.reject(fromPlainError(message.error))
  }

  #listen(): void {
    clearTimeout(this.#timer)
    const silent = `The lab worker said nothing for ${this.#silenceMs} ms`
    this.#timer = setTimeout(() => this.#abandon(new LabUnavailableError(silent)), this.#silenceMs)
  }

  #end(): Run | null {
    clearTimeout(this.#timer)
    const run = this.#run
    this.#run = null
    return run
  }

  #abandon(error: Error): void {
    this.#worker?.terminate()
    this.#worker = null
    this.#end()?.reject(error)
  }
}
