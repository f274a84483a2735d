import { InvariantError, invariant } from '../../codec/errors.ts'
import type { ByteSource } from '../byte-source.ts'
import { floorSqrt } from './clip.ts'
import { SAMPLE_DRAWS_MAX } from './limits.ts'

/**
 * The discrete Gaussian over the integers: `P[x]` in proportion to `exp(-x² / 2σ²)`. Exact: every decision is a comparison of a uniform number
 * with a fraction of whole numbers, so no rounding of floats can give the data away.
 *
 * Source: C. Canonne, G. Kamath, T. Steinke, "The discrete Gaussian for differential privacy" (https://arxiv.org/abs/2004.00010),
 * algorithms 1 to 3. Its draws take time that depends on them; see docs/THREAT_MODEL.md.
 */

/** A fraction that is not negative. */
export interface Fraction {
  readonly numerator: bigint
  /** Positive. */
  readonly denominator: bigint
}

/** Random bits of a decision before it looks closer: two draws of 26. */
const UNIFORM_BITS = 52

/** Two doubles of a fraction differ from it by less than this part, conversion of both numbers included. */
const FRACTION_ERROR = 2 ** -50

/** Decides with exact chances. Keeps random bytes at hand, since a source is asked for many at a time. */
export class ExactCoin {
  readonly #random: ByteSource
  readonly #error: number
  #buffer = new Uint8Array(0)
  #at = 0

  /** @param error - How close to the chance a draw must be to be looked at exactly; larger only in tests of that path. */
  constructor(random: ByteSource, error = FRACTION_ERROR) {
    this.#random = random
    this.#error = error
  }

  #byte(): number {
    if (this.#at === this.#buffer.length) {
      this.#buffer = new Uint8Array(this.#random.bytes(4_096))
      this.#at = 0
    }
    const byte = this.#buffer[this.#at] as number
    // Used once, and not left behind.
    this.#buffer[this.#at++] = 0
    return byte
  }

  bit(): boolean {
    return (this.#byte() & 1) === 1
  }

  /** 26 bits. */
  #word(): number {
    return ((this.#byte() << 18) | (this.#byte() << 10) | (this.#byte() << 2) | (this.#byte() >> 6)) >>> 0
  }

  /** A uniform whole number from 0 up to, not including, `bound`. */
  below(bound: bigint): bigint {
    const bits = (bound - 1n).toString(2).length
    const bytes = Math.ceil(bits / 8)
    const mask = (1n << BigInt(bits)) - 1n
    for (let draw = 0; draw < SAMPLE_DRAWS_MAX; draw++) {
      let value = 0n
      for (let at = 0; at < bytes; at++) value = (value << 8n) | BigInt(this.#byte())
      value &= mask
      if (value < bound) return value
    }
    throw brokenSource()
  }

  /** As {@link below}, for bounds up to 2^26. */
  belowSmall(bound: number): number {
    const fair = 2 ** 26 - (2 ** 26 % bound)
    for (let draw = 0; draw < SAMPLE_DRAWS_MAX; draw++) {
      const word = this.#word()
      if (word < fair) return word % bound
    }
    throw brokenSource()
  }

  /**
   * True with chance `numerator / denominator`, exactly; always when it is 1 or more.
   *
   * A uniform number's first 52 bits decide when they differ from the fraction by more than a double's error, which is nearly always;
   * otherwise whole numbers compare the rest.
   */
  chance(numerator: bigint, denominator: bigint): boolean {
    if (numerator <= 0n) return false
    if (numerator >= denominator) return true
    const drawn = this.#word() * 2 ** 26 + this.#word()
    const fraction = (Number(numerator) / Number(denominator)) * 2 ** UNIFORM_BITS
    const doubt = fraction * this.#error + 2
    if (drawn < fraction - doubt) return true
    if (drawn > fraction + doubt) return false
    // The number is (drawn + rest) / 2^52 with a uniform rest: rest < (n·2^52 - drawn·d) / d decides.
    const left = (numerator << BigInt(UNIFORM_BITS)) - BigInt(drawn) * denominator
    if (left <= 0n) return false
    return left >= denominator || this.below(denominator) < left
  }

  /** True with chance `exp(-numerator / denominator)`. Algorithm 1. */
  chanceOfExp(numerator: bigint, denominator: bigint): boolean {
    let left = numerator
    while (left > denominator) {
      if (!this.#chanceOfExpBelowOne(1n, 1n)) return false
      left -= denominator
    }
    return this.#chanceOfExpBelowOne(left, denominator)
  }

  /** For `numerator <= denominator`: the first of a chain of chances γ/1, γ/2, … that fails tells by its parity. */
  #chanceOfExpBelowOne(numerator: bigint, denominator: bigint): boolean {
    for (let turn = 1; turn < SAMPLE_DRAWS_MAX; turn++) {
      if (!this.chance(numerator, denominator * BigInt(turn))) return turn % 2 === 1
    }
    throw brokenSource()
  }
}

function brokenSource(): InvariantError {
  return new InvariantError('Invariant violated: the source of random bytes is random')
}

/** Draws from discrete Gaussians of one variance. */
export class DiscreteGaussian {
  readonly #coin: ExactCoin
  readonly #scale: bigint
  readonly #variance: Fraction
  /** 2σ²·t², over the variance's denominator squared: what squared distances are compared with. */
  readonly #exponentDenominator: bigint

  /** @param variance - σ² > 0 in squared units, up to 2^62. */
  constructor(variance: Fraction, random: ByteSource | ExactCoin) {
    const { numerator, denominator } = variance
    invariant(numerator > 0n && denominator > 0n, 'a variance is positive')
    invariant(numerator / denominator < 1n << 62n, 'a variance is below 2^62')
    this.#coin = random instanceof ExactCoin ? random : new ExactCoin(random)
    this.#variance = variance
    // t = ⌊σ⌋ + 1: the scale of the Laplace that is nearest.
    this.#scale = floorSqrt(numerator / denominator) + 1n
    this.#exponentDenominator = 2n * numerator * denominator * this.#scale * this.#scale
  }

  /** One draw. Algorithm 3: a discrete Laplace draw, accepted with chance `exp(-(|y| - σ²/t)² / 2σ²)`. */
  draw(): bigint {
    const { numerator, denominator } = this.#variance
    for (let attempt = 0; attempt < SAMPLE_DRAWS_MAX; attempt++) {
      const candidate = this.#laplace()
      const size = candidate < 0n ? -candidate : candidate
      // (|y| - n/(d·t))² / (2n/d) = (|y|·d·t - n)² / (2·n·d·t²)
      const distance = size * denominator * this.#scale - numerator
      if (this.#coin.chanceOfExp(distance * distance, this.#exponentDenominator)) return candidate
    }
    throw brokenSource()
  }

  /** A discrete Laplace draw of scale t: `P[x]` in proportion to `exp(-|x| / t)`. Algorithm 2. */
  #laplace(): bigint {
    const scale = this.#scale
    for (let attempt = 0; attempt < SAMPLE_DRAWS_MAX; attempt++) {
      const remainder = scale === 1n ? 0n : this.#coin.below(scale)
      if (!this.#coin.chanceOfExp(remainder, scale)) continue
      let wholes = 0n
      while (this.#coin.chanceOfExp(1n, 1n)) wholes++
      const size = remainder + scale * wholes
      const isNegative = this.#coin.bit()
      // Zero has one sign, or it would come twice as often.
      if (isNegative && size === 0n) continue
      return isNegative ? -size : size
    }
    throw brokenSource()
  }
}
