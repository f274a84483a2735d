import { PrivacyParameterError } from './errors.ts'
import { logErfc, SignedLogSum } from './log-math.ts'

/**
 * Rényi differential privacy of the Gaussian mechanism, with and without Poisson subsampling.
 *
 * Source: I. Mironov, K. Talwar, L. Zhang, "Rényi differential privacy of the sampled Gaussian mechanism"
 * (https://arxiv.org/abs/1908.10530), section 3.3. At fractional orders the series has terms of both signs; they are added with their signs,
 * which is exact, where adding absolute values gives an upper bound that is larger by some 3·10^-5. Rule [D4].
 *
 * The discrete Gaussian of the same σ satisfies the unsampled bound itself (Canonne, Kamath, Steinke, theorem 4: concentrated by Δ²/2σ²).
 * Sampled, it is taken as its continuous twin, as other accountants do: at deviations of `SHARE_DEVIATION_MIN` units and more the two
 * densities differ by less than e^-300.
 */

/** The orders that are looked at: 1.1 to 10.9 by tenths, and 12 to 63. */
export const RENYI_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, index) => (11 + index) / 10),
  ...Array.from({ length: 52 }, (_, index) => 12 + index),
]

/** One kind of step. */
export interface GaussianStep {
  /** σ over the sensitivity; positive. */
  readonly noiseMultiplier: number
  /**
   * Chance that a client takes part, each for itself and in secret: 0 to 1. It is 1 whenever others can see who took part, as in every round
   * whose announcements are public; see rule [D5].
   */
  readonly samplingRate: number
}

/**
 * Rényi divergence of one step.
 *
 * @param order - Above 1.
 * @returns In nats. For adding or taking away one client.
 * @throws {@link PrivacyParameterError}
 */
export function renyiOfStep({ noiseMultiplier, samplingRate }: GaussianStep, order: number): number {
  checkRange('order', order, { above: 1 })
  checkRange('noiseMultiplier', noiseMultiplier, { above: 0 })
  if (!(samplingRate >= 0 && samplingRate <= 1)) throw parameterError('samplingRate', samplingRate, '0 to 1')
  if (samplingRate === 0) return 0
  if (samplingRate === 1) return order / (2 * noiseMultiplier ** 2)
  const log = Number.isInteger(order)
    ? logMomentWhole(samplingRate, noiseMultiplier, order)
    : logMomentFractional(samplingRate, noiseMultiplier, order)
  return Math.max(0, log / (order - 1))
}

/** `ln A_α` at a whole order: `Σ C(α,i) (1-q)^(α-i) q^i e^((i²-i)/2σ²)`. */
function logMomentWhole(q: number, sigma: number, order: number): number {
  const sum = new SignedLogSum()
  let logBinomial = 0
  for (let i = 0; i <= order; i++) {
    if (i > 0) logBinomial += Math.log((order - i + 1) / i)
    sum.add(logBinomial + i * Math.log(q) + (order - i) * Math.log1p(-q) + (i * i - i) / (2 * sigma * sigma), 1)
  }
  return sum.log()
}

/** Terms beyond are below e^-30 of the whole; far above what any order needs. */
const TERMS_MAX = 100_000
const NEGLIGIBLE_LOG = -40

/** `ln A_α` at a fractional order: the integral is cut at z₀, and each half expanded in its binomial series. */
function logMomentFractional(q: number, sigma: number, order: number): number {
  const sum = new SignedLogSum()
  const cut = sigma * sigma * Math.log(1 / q - 1) + 0.5
  const width = Math.SQRT2 * sigma
  const [logQ, logRest] = [Math.log(q), Math.log1p(-q)]
  let logBinomial = 0
  let sign: 1 | -1 = 1
  for (let i = 0; i < TERMS_MAX; i++) {
    if (i > 0) {
      const factor = (order - i + 1) / i
      logBinomial += Math.log(Math.abs(factor))
      if (factor < 0) sign = sign === 1 ? -1 : 1
    }
    const j = order - i
    const below = logBinomial + i * logQ + j * logRest + (i * i - i) / (2 * sigma * sigma) + logErfc((i - cut) / width)
    const above = logBinomial + j * logQ + i * logRest + (j * j - j) / (2 * sigma * sigma) + logErfc((cut - j) / width)
    sum.add(below - Math.LN2, sign)
    sum.add(above - Math.LN2, sign)
    if (i > order && Math.max(below, above) < NEGLIGIBLE_LOG) return sum.log()
  }
  throw parameterError('order', order, `a series of ${TERMS_MAX} terms`)
}

/** From Rényi divergences to (ε, δ). The two conversions give different numbers for one run: always say which. Rule [D4]. */
export type Conversion =
  /** `ε(α) + ln(1 - 1/α) - ln(δα)/(α-1)`: Balle et al. (https://arxiv.org/abs/1905.09982, theorem 21) and Canonne, Kamath, Steinke. */
  | 'canonne-kamath-steinke'
  /** `ε(α) - ln δ/(α-1)`: Mironov (https://arxiv.org/abs/1702.07476, proposition 3). Older figures use it; larger. */
  | 'mironov'

/** The best ε over all orders, with the order that gave it. */
export interface EpsilonAt {
  readonly epsilon: number
  readonly order: number
}

/**
 * @param renyi - One divergence for each of `orders`.
 * @param options.delta - 0 < δ < 1.
 */
export function epsilonOf(
  renyi: readonly number[],
  options: { readonly delta: number; readonly conversion?: Conversion; readonly orders?: readonly number[] },
): EpsilonAt {
  const { delta, conversion = 'canonne-kamath-steinke', orders = RENYI_ORDERS } = options
  if (!(delta > 0 && delta < 1)) throw parameterError('delta', delta, 'between 0 and 1')
  let best: EpsilonAt = { epsilon: Infinity, order: orders[0] ?? 2 }
  orders.forEach((order, at) => {
    const tail = -Math.log(delta) / (order - 1)
    const sharper = Math.log1p(-1 / order) - Math.log(order) / (order - 1)
    const epsilon = (renyi[at] ?? Infinity) + tail + (conversion === 'mironov' ? 0 : sharper)
    if (epsilon < best.epsilon) best = { epsilon, order }
  })
  return { ...best, epsilon: Math.max(0, best.epsilon) }
}

function checkRange(field: string, value: number, { above }: { above: number }): void {
  if (!(value > above && Number.isFinite(value))) throw parameterError(field, value, `above ${above}`)
}

function parameterError(field: string, value: number, limit: string): PrivacyParameterError {
  return new PrivacyParameterError(`${field} is ${value}, limit ${limit}`, { field, value, limit })
}
