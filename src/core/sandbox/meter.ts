import { LimitExceededError } from '../codec/errors.ts'
import { GasExhaustedError } from './errors.ts'
import { GAS_MAX } from './limits.ts'
import {
  DEPTH_SHIFT,
  DEPTH_UNIT_BYTES,
  DEPTH_UNITS,
  EXPORT_BANK,
  EXPORT_PAGES,
  EXPORT_START,
  EXPORT_STATE,
  EXPORT_STATUS,
  FRAME_UNITS_MAX,
  GAS_FIELD,
  QUANTUM_GAS,
  STACK_BYTES_CEILING,
  STATE_RUNNING,
  STATUS_HOST,
  STATUS_NONE,
  STATUS_STACK,
} from './meter-layout.ts'
import type { Meter, MeterLimits } from './module.ts'

/** What the meter needs of a `WebAssembly.Global`. */
interface Counter {
  value: number
}

const QUANTUM = BigInt(QUANTUM_GAS)
/** Gas field when nothing is left of the quantum: one more sets the guard. */
const QUANTUM_USED = QUANTUM_GAS - 1

/**
 * The meter of an instance of a prepared module.
 *
 * Gas after a normal end, an `unreachable`, a stack overflow or an exception from the host is exact. After a trap that the
 * engine raised (division by zero, out of bounds, …) the registers that held the state are gone, and the quantum in use counts
 * as used: at most 65,535 too much, never too little, and the same on every engine.
 *
 * @param exports - `instance.exports` of the running instance.
 */
export function meterOf(exports: Readonly<Record<string, unknown>>): Meter {
  return new InstanceMeter(exports)
}

class InstanceMeter implements Meter {
  readonly #state: Counter
  readonly #bank: Counter
  readonly #status: Counter
  readonly #pages: Counter
  readonly #start: (() => void) | undefined
  #gasMax = 0n

  constructor(exports: Readonly<Record<string, unknown>>) {
    // The rewriter exports these four globals from every module it makes.
    this.#state = exports[EXPORT_STATE] as Counter
    this.#bank = exports[EXPORT_BANK] as Counter
    this.#status = exports[EXPORT_STATUS] as Counter
    this.#pages = exports[EXPORT_PAGES] as Counter
    this.#start = exports[EXPORT_START] as (() => void) | undefined
  }

  start(limits: MeterLimits): void {
    const { gasMax, stackBytesMax, memoryPagesMax } = limits
    if (gasMax < 0n || gasMax > GAS_MAX) throw overLimit('gasMax', gasMax, GAS_MAX)
    if (!(stackBytesMax >= 0 && stackBytesMax <= STACK_BYTES_CEILING)) {
      throw overLimit('stackBytesMax', stackBytesMax, STACK_BYTES_CEILING)
    }
    const units = Math.min(FRAME_UNITS_MAX, Math.floor(stackBytesMax / DEPTH_UNIT_BYTES))
    this.#gasMax = gasMax
    this.#bank.value = Number(gasMax / QUANTUM)
    this.#state.value = ((DEPTH_UNITS - units) << DEPTH_SHIFT) | (QUANTUM_USED - Number(gasMax % QUANTUM))
    this.#status.value = STATUS_NONE
    if (memoryPagesMax !== undefined) this.#pages.value = Math.min(memoryPagesMax, this.#pages.value)
    this.#start?.()
  }

  gasUsed(): bigint {
    if (this.#bank.value < 0) return this.#gasMax
    const state = this.#state.value
    const leftOfQuantum = state === STATE_RUNNING ? 0 : QUANTUM_USED - (state & GAS_FIELD)
    const used = this.#gasMax - BigInt(this.#bank.value) * QUANTUM - BigInt(leftOfQuantum)
    return used > this.#gasMax ? this.#gasMax : used
  }

  charge(gas: bigint): void {
    const state = this.#state.value
    const left = this.#gasMax - this.gasUsed() - gas
    if (gas < 0n || state < 0) throw overLimit('gas charged while the guest runs', gas, 0n)
    if (left < 0n) {
      this.#bank.value = -1
      throw new GasExhaustedError(`Gas is used up: a host call cost ${gas}, left were ${left + gas}`, {
        field: 'gas',
        value: gas,
        limit: left + gas,
      })
    }
    this.#bank.value = Number(left / QUANTUM)
    this.#state.value = (state & ~GAS_FIELD) | (QUANTUM_USED - Number(left % QUANTUM))
  }

  exhausted(): 'gas' | 'stack' | null {
    if (this.#bank.value < 0) return 'gas'
    return this.#status.value === STATUS_STACK ? 'stack' : null
  }

  hostFailed(): boolean {
    return this.#status.value === STATUS_HOST
  }
}

function overLimit(field: string, value: number | bigint, limit: number | bigint): LimitExceededError {
  return new LimitExceededError(`Meter limit ${field} is ${value}, limit ${limit}`, { field, value, limit })
}
