import * as v from 'valibot'
import { conform, decode, encode } from '../../codec/cbor.ts'
import { integer, list } from '../../codec/fields.ts'
import { RECORD_LIMITS } from '../../codec/limits.ts'
import { bisect } from './analytic-gaussian.ts'
import { PrivacyBudgetError } from './errors.ts'
import { EPSILON_MAX, LEDGER_ENTRIES_MAX, LEDGER_STEPS_MAX, NOISE_MULTIPLIER_PPM_MAX } from './limits.ts'
import { type Conversion, type EpsilonAt, epsilonOf, RENYI_ORDERS, renyiOfStep } from './renyi.ts'

const PPM = 1_000_000

const stepSchema = v.strictObject({
  /** Standard deviation of the noise over the sensitivity, in millionths. */
  noiseMultiplierPpm: integer(1, NOISE_MULTIPLIER_PPM_MAX),
  /** Chance of taking part, in millionths; a million when others can see who did. */
  samplingPpm: integer(1, PPM),
})

/** One kind of step, in whole numbers: it is stored and compared. */
export type LedgerStep = v.InferOutput<typeof stepSchema>

const budgetSchema = v.strictObject({
  /** In millionths. */
  epsilonPpm: integer(1, EPSILON_MAX * PPM),
  /** δ is this over 10^12. */
  deltaPerTrillion: integer(1, PPM * PPM - 1),
})

/** What a task may spend in all. */
export type PrivacyBudget = v.InferOutput<typeof budgetSchema>

const ledgerSchema = v.strictObject({
  budget: budgetSchema,
  entries: list(v.strictObject({ ...stepSchema.entries, steps: integer(1, LEDGER_STEPS_MAX) }), 0, LEDGER_ENTRIES_MAX),
})

type LedgerEntry = LedgerStep & { readonly steps: number }

/** How much is gone, and how much there is. */
export interface PrivacySpent extends EpsilonAt {
  readonly epsilonLeft: number
  readonly delta: number
  /** How ε was computed from Rényi divergences; shown beside it. */
  readonly conversion: Conversion
  readonly steps: number
}

/**
 * What one peer's data has given away, over all rounds of a task. Divergences add up at each order; ε is read off once, from their sum. Charge
 * before anything leaves the peer, and keep `encode()` durable before that: a step that was charged and not released costs privacy nothing,
 * the other way round it costs a promise. Rule [D6].
 */
export class PrivacyLedger {
  readonly budget: PrivacyBudget
  readonly #entries: LedgerEntry[]
  readonly #renyi: number[]

  constructor(budget: PrivacyBudget, entries: readonly LedgerEntry[] = []) {
    this.budget = conform(budget, { what: 'privacy budget', schema: budgetSchema })
    this.#entries = []
    this.#renyi = RENYI_ORDERS.map(() => 0)
    for (const { steps, ...step } of entries) this.#add(step, steps)
  }

  /**
   * Reads a ledger that was stored.
   *
   * @throws {@link InvalidMessageError} When it is none.
   */
  static decode(bytes: Uint8Array): PrivacyLedger {
    const { budget, entries } = decode(bytes, { what: 'privacy ledger', limits: RECORD_LIMITS, schema: ledgerSchema })
    return new PrivacyLedger(budget, entries)
  }

  encode(): Uint8Array {
    return encode({ budget: this.budget, entries: this.#entries })
  }

  get delta(): number {
    return this.budget.deltaPerTrillion / PPM ** 2
  }

  get #epsilonMax(): number {
    return this.budget.epsilonPpm / PPM
  }

  /** Where the budget stands. Before the first step, nothing is spent. */
  spent(): PrivacySpent {
    const steps = this.#entries.reduce((sum, entry) => sum + entry.steps, 0)
    const at = steps === 0 ? { epsilon: 0, order: 0 } : epsilonOf(this.#renyi, { delta: this.delta })
    const epsilonLeft = Math.max(0, this.#epsilonMax - at.epsilon)
    return { ...at, epsilonLeft, delta: this.delta, conversion: 'canonne-kamath-steinke', steps }
  }

  /** ε after some more steps, without taking them. */
  epsilonAfter(step: LedgerStep, steps = 1): number {
    const more = renyiOf(step)
    const renyi = this.#renyi.map((sum, at) => sum + steps * (more[at] as number))
    return epsilonOf(renyi, { delta: this.delta }).epsilon
  }

  /**
   * How many more steps of a kind the budget has.
   *
   * @returns At most `LEDGER_STEPS_MAX`.
   */
  stepsLeft(step: LedgerStep): number {
    const fits = (steps: number) => this.epsilonAfter(step, steps) <= this.#epsilonMax
    let [low, high] = [0, LEDGER_STEPS_MAX]
    if (fits(high)) return high
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (fits(middle)) low = middle
      else high = middle
    }
    return low
  }

  /**
   * Takes a step from the budget.
   *
   * @throws {@link PrivacyBudgetError} When the budget does not have it. Nothing is taken then.
   */
  charge(step: LedgerStep): void {
    const checked = conform(step, { what: 'privacy step', schema: stepSchema })
    const after = this.epsilonAfter(checked)
    if (!(after <= this.#epsilonMax)) {
      throw new PrivacyBudgetError(`The next step would make ε ${after.toFixed(4)}, limit ${this.#epsilonMax}`, {
        field: 'epsilon',
        value: after,
        limit: this.#epsilonMax,
      })
    }
    this.#add(checked, 1)
  }

  #add(step: LedgerStep, steps: number): void {
    const known = this.#entries.findIndex(
      (entry) => entry.noiseMultiplierPpm === step.noiseMultiplierPpm && entry.samplingPpm === step.samplingPpm,
    )
    if (known === -1 && this.#entries.length === LEDGER_ENTRIES_MAX) {
      throw new PrivacyBudgetError(`The ledger has ${LEDGER_ENTRIES_MAX} kinds of step, limit ${LEDGER_ENTRIES_MAX}`, {
        field: 'entries',
        value: LEDGER_ENTRIES_MAX,
        limit: LEDGER_ENTRIES_MAX,
      })
    }
    const entry = this.#entries[known] ?? { ...step, steps: 0 }
    this.#entries[known === -1 ? this.#entries.length : known] = { ...entry, steps: entry.steps + steps }
    renyiOf(step).forEach((value, at) => {
      this.#renyi[at] = (this.#renyi[at] as number) + steps * value
    })
  }
}

/** Divergences of one step at all orders, for a step with whole numbers. Computed once for each kind. */
function renyiOf({ noiseMultiplierPpm, samplingPpm }: LedgerStep): readonly number[] {
  const name = `${noiseMultiplierPpm}/${samplingPpm}`
  const known = computed.get(name)
  if (known !== undefined) return known
  const step = { noiseMultiplier: noiseMultiplierPpm / PPM, samplingRate: samplingPpm / PPM }
  const renyi = RENYI_ORDERS.map((order) => renyiOfStep(step, order))
  if (computed.size >= LEDGER_ENTRIES_MAX) computed.clear()
  computed.set(name, renyi)
  return renyi
}

const computed = new Map<string, readonly number[]>()

/**
 * The noise multiplier, in millionths and rounded up, with which a number of steps stays within a budget: what a task's creator asks.
 */
export function noiseMultiplierFor(
  budget: PrivacyBudget,
  options: { readonly steps: number; readonly samplingPpm: number },
): number {
  const { steps, samplingPpm } = options
  const delta = budget.deltaPerTrillion / PPM ** 2
  const multiplier = bisect((noiseMultiplier) => {
    if (noiseMultiplier < 0.01) return false
    const step = { noiseMultiplier, samplingRate: samplingPpm / PPM }
    const renyi = RENYI_ORDERS.map((order) => steps * renyiOfStep(step, order))
    return epsilonOf(renyi, { delta }).epsilon <= budget.epsilonPpm / PPM
  })
  return Math.ceil(multiplier * PPM)
}
