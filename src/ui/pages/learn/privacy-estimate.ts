import { epsilonOf, RENYI_ORDERS, renyiOfStep } from '../../../core/learning/privacy/renyi.ts'

/** What a promise of privacy is made of, as the form has it; local noise. */
export interface PrivacyTerms {
  /** Standard deviation of the noise over the clip norm. */
  readonly noiseMultiplier: number
  readonly delta: number
}

/** Two updates may differ by twice the clip norm, so half of the noise counts. Rule [D3]. */
const SENSITIVITY = 2

/** ε after a number of rounds, as every member's ledger will have it. */
export function epsilonAfter({ noiseMultiplier, delta }: PrivacyTerms, rounds: number): number {
  const step = { noiseMultiplier: noiseMultiplier / SENSITIVITY, samplingRate: 1 }
  const renyi = RENYI_ORDERS.map((order) => rounds * renyiOfStep(step, order))
  return epsilonOf(renyi, { delta }).epsilon
}

/** Rounds that a budget pays for, at most `roundsMax`. */
export function roundsWithin(terms: PrivacyTerms, epsilonMax: number, roundsMax: number): number {
  let [low, high] = [0, roundsMax + 1]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (epsilonAfter(terms, middle) <= epsilonMax) low = middle
    else high = middle
  }
  return low
}

const NOISE_MAX = 1_000
/** The form has noise by hundredths. */
const STEPS = 100

/** The least noise, by hundredths, with which all rounds stay within a budget; `null` when none does. */
export function noiseFor(budget: { epsilonMax: number; delta: number }, rounds: number): number | null {
  const fits = (hundredths: number): boolean =>
    epsilonAfter({ noiseMultiplier: hundredths / STEPS, delta: budget.delta }, rounds) <= budget.epsilonMax
  let [low, high] = [0, NOISE_MAX * STEPS]
  if (!fits(high)) return null
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) high = middle
    else low = middle
  }
  return high / STEPS
}

/** How many times the largest update the noise is that stays in the average: each weight has its own, √d of them add up, √n members average. */
export function noiseOverUpdate(noiseMultiplier: number, of: { parameters: number; members: number }): number {
  return noiseMultiplier * Math.sqrt(of.parameters / of.members)
}
