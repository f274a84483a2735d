/** Pearson's statistic of counts against expectations of the same total. */
export function chiSquare(observed: readonly number[], expected: readonly number[]): number {
  return observed.reduce((sum, count, at) => {
    const wanted = expected[at] as number
    return sum + (count - wanted) ** 2 / wanted
  }, 0)
}

/**
 * What the statistic stays below with all but a chance of one in a million, for a number of degrees of freedom (Wilson and Hilferty's
 * approximation, within 1 % from 3 degrees on).
 */
export function chiSquareLimit(degrees: number): number {
  const deviations = 4.753
  const spread = 2 / (9 * degrees)
  return degrees * (1 - spread + deviations * Math.sqrt(spread)) ** 3
}
