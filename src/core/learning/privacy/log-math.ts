/** Logarithms of numbers that doubles cannot hold, and the functions the accountants need of them. */

/**
 * `ln(erfc(x))`, to about 14 digits.
 *
 * Below 2 from the series of erf (DLMF 7.6.2, all terms of one sign), above from the continued fraction of erfc (DLMF 7.9.1), which keeps its
 * precision where erfc itself is too small for a double.
 */
export function logErfc(x: number): number {
  if (x < 0) return Math.log(x > -2 ? 1 + erfSeries(-x) : 2 - Math.exp(logErfcTail(-x)))
  return x < 2 ? Math.log1p(-erfSeries(x)) : logErfcTail(x)
}

const SERIES_TERMS_MAX = 100

/** erf for 0 <= x <= 2: `2x/√π · e^(-x²) · Σ (2x²)ⁿ / (1·3·5…(2n+1))`. */
function erfSeries(x: number): number {
  let term = 1
  let sum = 1
  for (let n = 1; n < SERIES_TERMS_MAX && term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1)
    sum += term
  }
  return ((2 * x) / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum
}

const FRACTION_TERMS = 120

/** For x >= 2: `e^(-x²)/√π / (x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …))))`, from the back. */
function logErfcTail(x: number): number {
  let fraction = x
  for (let n = FRACTION_TERMS; n >= 1; n--) fraction = x + n / 2 / fraction
  return -x * x - Math.log(fraction) - Math.log(Math.PI) / 2
}

/** `ln Φ(x)`: the standard normal's distribution function. */
export function logNormalCdf(x: number): number {
  return logErfc(-x / Math.SQRT2) - Math.LN2
}

/** A sum of numbers of either sign that are given by their logarithms. Added up at the end, scaled by the largest. */
export class SignedLogSum {
  readonly #terms: { readonly log: number; readonly sign: 1 | -1 }[] = []

  add(log: number, sign: 1 | -1): void {
    if (log !== -Infinity) this.#terms.push({ log, sign })
  }

  /** The sum's logarithm; NaN when it is negative. */
  log(): number {
    let largest = -Infinity
    for (const { log } of this.#terms) largest = Math.max(largest, log)
    if (largest === -Infinity) return -Infinity
    // Smallest first, so that none is lost.
    const ordered = this.#terms.map(({ log, sign }) => sign * Math.exp(log - largest))
    ordered.sort((a, b) => Math.abs(a) - Math.abs(b))
    return largest + Math.log(ordered.reduce((sum, term) => sum + term, 0))
  }
}
