import { epsilonOf, RENYI_ORDERS, renyiOfStep } from '../../../core/learning/privacy/renyi.ts'
import type { LearningPrivacy } from '../../../node/learning-contract.ts'

/** What a promise of privacy is made of, as the form has it. */
export interface PrivacyTerms {
  readonly mode: LearningPrivacy['mode']
  /** Standard deviation of the noise over the clip norm. */
  readonly noiseMultiplier: number
  readonly delta: number
}

/**
 * How far one member can move what is seen, in clip norms. Alone, an update may stand in for any other; in a sum it may be there or not.
 * Rule [D3].
 */
const SENSITIVITY = { local: 2, distributed: 1 } as const

/** ε after a number of rounds, as every member's ledger will have it. */
export function epsilonAfter({ mode, noiseMultiplier, delta }: PrivacyTerms, rounds: number): number {
  const step = { noiseMultiplier: noiseMultiplier / SENSITIVITY[mode], samplingRate: 1 }
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
export function noiseFor(
  budget: Omit<PrivacyTerms, 'noiseMultiplier'> & { readonly epsilonMax: number },
  rounds: number,
): number | null {
  const fits = (hundredths: number): boolean =>
    epsilonAfter({ ...budget, noiseMultiplier: hundredths / STEPS }, rounds) <= budget.epsilonMax
  let [low, high] = [0, NOISE_MAX * STEPS]
  if (!fits(high)) return null
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (fits(middle)) high = middle
    else low = middle
  }
  return high / STEPS
}

/**
 * How many times the largest update the noise is that stays in the average: each weight has its own, so √d of them add up. Noise of each member
 * falls with √n in the average; that of a sum, which members make together, with n.
 */
export function noiseOverUpdate(
  { mode, noiseMultiplier }: Pick<PrivacyTerms, 'mode' | 'noiseMultiplier'>,
  of: { readonly parameters: number; readonly members: number },
): number {
  const averaged = mode === 'local' ? Math.sqrt(of.members) : of.members
  return (noiseMultiplier * Math.sqrt(of.parameters)) / averaged
}
