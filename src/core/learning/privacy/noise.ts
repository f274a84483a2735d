import { invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import { SumOverflowError } from '../secure-sum/errors.ts'
import { floorSqrt, squaredNorm } from './clip.ts'
import { DiscreteGaussian, type Fraction } from './discrete-gaussian.ts'
import { PrivacyParameterError } from './errors.ts'
import type { LedgerStep } from './ledger.ts'
import {
  NOISE_MULTIPLIER_PPM_MAX,
  NOISE_MULTIPLIER_PPM_MIN,
  NOISE_TAIL_DEVIATIONS,
  SHARE_DEVIATION_MIN,
} from './limits.ts'

const PPM = 1_000_000

/** How a task adds noise. Whole numbers, since they stand in its manifest. */
export interface NoisePlan {
  /**
   * `local`: everybody adds all of the noise, and each update is private by itself, against every other peer.
   * `distributed`: everybody adds a share; only the secure sum is private, and only while `contributorsMin` honest shares are in it.
   */
  readonly mode: 'local' | 'distributed'
  /** L2 norm of an update before noise, in its units of 2^-16. */
  readonly clipNorm: number
  /** Standard deviation of the whole noise over the clip norm, in millionths. */
  readonly noiseMultiplierPpm: number
  /** Honest contributors that a sum has at least; 1 in local mode. */
  readonly contributorsMin: number
}

/** @throws {@link PrivacyParameterError} Naming the first field that is out of range. Rule [D2]. */
export function checkNoisePlan(plan: NoisePlan): void {
  const { clipNorm, noiseMultiplierPpm, contributorsMin, mode } = plan
  check('clipNorm', clipNorm, { min: 1, max: 2 ** 31 - 1 })
  check('noiseMultiplierPpm', noiseMultiplierPpm, { min: NOISE_MULTIPLIER_PPM_MIN, max: NOISE_MULTIPLIER_PPM_MAX })
  check('contributorsMin', contributorsMin, { min: 1, max: mode === 'local' ? 1 : 1_000 })
  const deviation = Math.sqrt(shareVariance(plan))
  if (deviation >= SHARE_DEVIATION_MIN) return
  throw new PrivacyParameterError(`A share of the noise deviates by ${deviation}, limit ${SHARE_DEVIATION_MIN}`, {
    field: 'noiseMultiplierPpm',
    value: deviation,
    limit: SHARE_DEVIATION_MIN,
  })
}

/** σ² of one participant's noise, exactly: `(multiplier × clipNorm)² / contributorsMin`. */
export function shareVarianceOf({ clipNorm, noiseMultiplierPpm, contributorsMin }: NoisePlan): Fraction {
  const deviationPpm = BigInt(clipNorm) * BigInt(noiseMultiplierPpm)
  return { numerator: deviationPpm ** 2n, denominator: BigInt(PPM) ** 2n * BigInt(contributorsMin) }
}

export function shareVariance(plan: NoisePlan): number {
  const { numerator, denominator } = shareVarianceOf(plan)
  return Number(numerator) / Number(denominator)
}

/**
 * The largest absolute value of a noised update that a secure sum must have room for: clip norm and `NOISE_TAIL_DEVIATIONS` of noise.
 * Use it as `coordinateMax` of the sum's terms.
 */
export function noisedCoordinateMax(plan: NoisePlan): number {
  const { numerator, denominator } = shareVarianceOf(plan)
  const tail = floorSqrt((BigInt(NOISE_TAIL_DEVIATIONS) ** 2n * numerator) / denominator) + 1n
  return plan.clipNorm + Number(tail)
}

/**
 * Adds this peer's noise to its clipped update. Rule [D2].
 *
 * @param clipped - Within the clip norm of the plan; not modified.
 * @throws {@link PrivacyParameterError} When the update is above its clip norm: noise would hide too little of it.
 * @throws {@link SumOverflowError} When a value leaves `noisedCoordinateMax`, which a good source does not see in a lifetime.
 */
export function addNoise(clipped: Int32Array, plan: NoisePlan, random: ByteSource): Int32Array {
  checkNoisePlan(plan)
  const squared = squaredNorm(clipped)
  if (squared > BigInt(plan.clipNorm) ** 2n) {
    throw new PrivacyParameterError(`The update's norm is ${floorSqrt(squared)}, limit ${plan.clipNorm}`, {
      field: 'clipped',
      value: floorSqrt(squared),
      limit: plan.clipNorm,
    })
  }
  const sampler = new DiscreteGaussian(shareVarianceOf(plan), random)
  const limit = Math.min(noisedCoordinateMax(plan), 2 ** 31 - 1)
  return clipped.map((value) => {
    const noised = value + Number(sampler.draw())
    if (noised <= limit && noised >= -limit) return noised
    throw new SumOverflowError(`A noised value is ${noised}, limit ${limit}`, { field: 'noise', value: noised, limit })
  })
}

/**
 * What one round under this plan costs, for the ledger. Rule [D3].
 *
 * Local: any update may stand in another's place, so the sensitivity is twice the clip norm. Distributed: a client's update may be there or be
 * zero, so it is the clip norm; a sum of discrete Gaussians is not quite one, which costs what `sumPenalty` says.
 *
 * @param options.length - Values of an update.
 * @param options.samplingPpm - See rule [D5]; a million unless who takes part is secret.
 */
export function stepOfPlan(
  plan: NoisePlan,
  options: { readonly length: number; readonly samplingPpm?: number },
): LedgerStep {
  checkNoisePlan(plan)
  const samplingPpm = options.samplingPpm ?? PPM
  if (plan.mode === 'local') return { noiseMultiplierPpm: Math.floor(plan.noiseMultiplierPpm / 2), samplingPpm }
  const loss = concentratedLoss(plan, options.length)
  // Cut down: a ledger never counts more noise than there is.
  return { noiseMultiplierPpm: Math.floor((PPM / loss) * (1 - 2 ** -40)), samplingPpm }
}

/**
 * √(2ρ) of a sum of discrete Gaussians: `min(√(Δ²/σ² + τd/2), Δ/σ + τ√d)` with `τ = 10 Σ e^(-2π²s²k/(k+1))` for shares of deviation s.
 *
 * Source: P. Kairouz, Z. Liu, T. Steinke, "The distributed discrete Gaussian mechanism for federated learning with secure aggregation"
 * (https://arxiv.org/abs/2102.06387), proposition 14 and theorem 1.
 */
function concentratedLoss(plan: NoisePlan, length: number): number {
  invariant(length >= 1, 'an update has values')
  const ratio = PPM / plan.noiseMultiplierPpm
  const penalty = sumPenalty(shareVariance(plan), plan.contributorsMin)
  return Math.min(Math.sqrt(ratio ** 2 + (penalty * length) / 2), ratio + penalty * Math.sqrt(length))
}

/** τ: how far a sum of `count` discrete Gaussians is from one. Exported for its test. */
export function sumPenalty(variance: number, count: number): number {
  let sum = 0
  for (let k = 1; k < count; k++) sum += Math.exp((-2 * Math.PI ** 2 * variance * k) / (k + 1))
  return 10 * sum
}

function check(field: keyof NoisePlan, value: number, { min, max }: { min: number; max: number }): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new PrivacyParameterError(`${field} is ${value}, limit ${min} to ${max}`, { field, value, limit: max })
}
