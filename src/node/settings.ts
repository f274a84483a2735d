import * as v from 'valibot'
import type { Store } from '../storage/store.ts'
import type { LendingSettings } from './contract.ts'

const BUCKET = 'settings'
const LENDING_KEY = 'lending'
const PAUSE_KEY = 'pause'

/** Below this share a unit would meet its wall-clock limit for no fault of its own. */
export const CPU_SHARE_MIN = 0.1

const lendingSchema = v.object({
  optedIn: v.boolean(),
  workers: v.pipe(v.number(), v.integer(), v.minValue(1)),
  cpuShare: v.pipe(v.number(), v.minValue(CPU_SHARE_MIN), v.maxValue(1)),
  pauseOnBattery: v.boolean(),
  pauseOnMetered: v.boolean(),
})

const pauseSchema = v.object({ paused: v.boolean(), untilMs: v.nullable(v.number()) })

/** The owner's own pause; `untilMs: null` lasts until lifted. */
export type StoredPause = v.InferOutput<typeof pauseSchema>

/** What the owner of the device chose, kept over restarts. A damaged record counts as never chosen. */
export class Settings {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** @param workersMax - What the machine has; a stored higher number is cut. */
  async lending(workersMax: number): Promise<LendingSettings> {
    const stored = await this.#read(LENDING_KEY, lendingSchema)
    if (stored !== undefined) return { ...stored, workers: Math.min(stored.workers, workersMax) }
    return {
      optedIn: false,
      // Half of the machine stays with its owner.
      workers: Math.max(1, Math.floor(workersMax / 2)),
      cpuShare: 1,
      pauseOnBattery: true,
      pauseOnMetered: true,
    }
  }

  /**
   * @throws `ValiError` Naming the field when a value is out of its range.
   */
  async saveLending(settings: LendingSettings): Promise<void> {
    await this.#write(LENDING_KEY, v.parse(lendingSchema, settings))
  }

  async pause(): Promise<StoredPause> {
    return (await this.#read(PAUSE_KEY, pauseSchema)) ?? { paused: false, untilMs: null }
  }

  async savePause(pause: StoredPause): Promise<void> {
    await this.#write(PAUSE_KEY, pause)
  }

  async text(key: string): Promise<string | undefined> {
    return await this.#read(key, v.string())
  }

  async saveText(key: string, value: string): Promise<void> {
    await this.#write(key, value)
  }

  async #read<S extends v.GenericSchema>(key: string, schema: S): Promise<v.InferOutput<S> | undefined> {
    const bytes = await this.#store.get(BUCKET, key)
    if (bytes === undefined) return undefined
    try {
      return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)))
    } catch {
      return undefined
    }
  }

  async #write(key: string, value: unknown): Promise<void> {
    await this.#store.write([{ bucket: BUCKET, key, value: new TextEncoder().encode(JSON.stringify(value)) }])
  }
}
