/**
 * One figure of one run. Absolute values depend on the machine; `ratio` compares with `reference`, measured in the same run, interleaved.
 */
export interface BenchLine {
  /** `area.what`, such as `sandbox.metering`. */
  readonly bench: string
  readonly value: number
  /** Of `value` and `reference`: `ms`, `units/s`, `MiB/s`, `x`. */
  readonly unit: string
  /** What the value is compared with; `null` when there is nothing fair to compare. */
  readonly reference: number | null
  /** Better is stated by the bench: `value / reference` as it reads in docs/TESTING.md. */
  readonly ratio: number | null
}

/** Four significant digits: more are noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

/** Makes a line, rounding its figures. */
export function benchLine(bench: string, value: number, unit: string, reference: number | null = null): BenchLine {
  return {
    bench,
    value: rounded(value),
    unit,
    reference: reference === null ? null : rounded(reference),
    ratio: reference === null ? null : rounded(value / reference),
  }
}

/** The middle value; the mean of the middle two when there are two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** The value below which `share` of the values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}
