import { PrivacyParameterError } from './errors.ts'
import { logNormalCdf } from './log-math.ts'

/**
 * The exact trade-off of one release with Gaussian noise: no smaller ε holds at the same δ.
 *
 * Source: B. Balle, Y. Wang, "Improving the Gaussian mechanism for differential privacy" (https://arxiv.org/abs/1805.06530), theorem 8.
 * Sensitivity is 1: σ is the noise multiplier.
 */

/** δ of one release: `Φ(1/2σ - εσ) - e^ε Φ(-1/2σ - εσ)`. */
export function analyticDelta(epsilon: number, noiseMultiplier: number): number {
  check('epsilon', epsilon, epsilon >= 0)
  check('noiseMultiplier', noiseMultiplier, noiseMultiplier > 0)
  const near = logNormalCdf(0.5 / noiseMultiplier - epsilon * noiseMultiplier)
  const far = epsilon + logNormalCdf(-0.5 / noiseMultiplier - epsilon * noiseMultiplier)
  // e^near - e^far, without losing the digits that both share.
  return far >= near ? 0 : -Math.exp(near) * Math.expm1(far - near)
}

/** The smallest ε of one release. 0 when δ alone covers it. */
export function analyticEpsilon(noiseMultiplier: number, delta: number): number {
  check('delta', delta, delta > 0 && delta < 1)
  if (analyticDelta(0, noiseMultiplier) <= delta) return 0
  return bisect((epsilon) => analyticDelta(epsilon, noiseMultiplier) <= delta)
}

/** The smallest noise multiplier that makes one release (ε, δ)-private. */
export function analyticNoiseMultiplier(epsilon: number, delta: number): number {
  check('delta', delta, delta > 0 && delta < 1)
  check('epsilon', epsilon, epsilon > 0)
  return bisect((noiseMultiplier) => noiseMultiplier > 0 && analyticDelta(epsilon, noiseMultiplier) <= delta)
}

/** Halvings of an interval: a double has no more digits. */
const HALVINGS = 100
const DOUBLINGS_MAX = 1_000

/** The smallest positive number that holds, rounded up, where all larger ones hold too. */
export function bisect(holds: (value: number) => boolean): number {
  let high = 1
  for (let doubling = 0; !holds(high); doubling++) {
    check('value', high, doubling < DOUBLINGS_MAX)
    high *= 2
  }
  let low = 0
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2
    if (holds(middle)) high = middle
    else low = middle
  }
  return high
}

function check(field: string, value: number, holds: boolean): void {
  if (holds && Number.isFinite(value)) return
  throw new PrivacyParameterError(`${field} is ${value}, which promises nothing`, { field, value })
}
