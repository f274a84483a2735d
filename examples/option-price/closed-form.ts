/**
 * The European call's value by the formula of Black and Scholes (1973): what the simulation is checked against.
 *
 * @param terms - Prices in money, `rate` and `volatility` a year (0.03 is 3 %), `years` until the option ends.
 */
export function closedFormCall(terms: {
  readonly spot: number
  readonly strike: number
  readonly rate: number
  readonly volatility: number
  readonly years: number
}): number {
  const { spot, strike, rate, volatility, years } = terms
  const discounted = strike * Math.exp(-rate * years)
  const spread = volatility * Math.sqrt(years)
  if (spread === 0 || strike === 0) return Math.max(0, spot - discounted)
  const above = Math.log(spot / discounted) / spread + spread / 2
  return spot * normalBelow(above) - discounted * normalBelow(above - spread)
}

/** Share of the standard normal distribution below `x`; error below 7.5e-8 (Abramowitz and Stegun 26.2.17). */
function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  return x >= 0 ? 1 - tail : tail
}
