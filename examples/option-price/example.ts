import type { UnitOutcome } from '../../src/core/tasks/unit.ts'
import {
  decimalOption,
  defineExample,
  type ExampleSummary,
  inputOf,
  jsonOf,
  type OptionReader,
  wholeOption,
} from '../example.ts'
import { closedFormCall } from './closed-form.ts'
import job from './job.json' with { type: 'json' }

/** One unit of the module's sums; its square for sums of squares. */
const FIXED_POINT = 2 ** 20
const BINS = 48

/** Estimates the value of two call options, a stretch of the paths in each unit. */
export const optionPrice = defineExample({
  id: 'option-price',
  job,
  options: [
    decimalOption('spot', { label: 'Share now', help: 'Price today', default: '100', min: '0.01', max: '1000000' }),
    decimalOption('strike', { label: 'Strike', help: 'Price agreed on', default: '105', min: '0', max: '1000000' }),
    decimalOption('rate', {
      label: 'Rate',
      help: 'Riskless interest a year; 0.03 is 3 %',
      default: '0.03',
      min: '0',
      max: '1',
    }),
    decimalOption('volatility', {
      label: 'Volatility',
      help: 'A year; 0.2 is 20 %',
      default: '0.2',
      min: '0',
      max: '3',
    }),
    decimalOption('years', { label: 'Years', help: 'Until the option ends', default: '1', min: '0.01', max: '50' }),
    wholeOption('steps', {
      label: 'Dates',
      help: 'Prices the Asian option averages over',
      default: '64',
      min: '1',
      max: '10000',
    }),
    wholeOption('units', {
      label: 'Units',
      help: 'Into how many the paths are cut',
      default: '200',
      min: '1',
      max: '100000',
    }),
    wholeOption('paths', {
      label: 'Paths per unit',
      help: 'Simulated by one unit',
      default: '10000',
      min: '1',
      max: '100000000',
    }),
    wholeOption('seed', {
      label: 'Seed',
      help: 'Another seed, other paths',
      default: '42',
      min: '0',
      max: '9007199254740991',
    }),
  ],
  plan(read) {
    const names = ['spot', 'strike', 'rate', 'volatility', 'years']
    const option = names.map((name) => `${name} ${read.decimal(name)}\n`).join('')
    const paths = read.whole('paths')
    const common = `${option}steps ${read.whole('steps')}\nseed ${read.whole('seed')}\npaths ${paths}\n`
    const units = read.count('units')
    const inputs = Array.from({ length: units }, (_, i) => inputOf(`${common}first ${BigInt(i) * paths}\n`))
    return {
      inputs,
      view: { kind: 'table' },
      caption: `${BigInt(units) * paths} paths of ${read.whole('steps')} dates`,
    }
  },
  summarize,
})

interface Total {
  sum: bigint
  squares: bigint
}

function summarize(read: OptionReader, outcomes: Iterable<UnitOutcome>): ExampleSummary {
  let paths = 0n
  const european: Total = { sum: 0n, squares: 0n }
  const asian: Total = { sum: 0n, squares: 0n }
  const counts = new Array<number>(BINS).fill(0)
  for (const row of jsonOf(outcomes)) {
    paths += BigInt(String(row.paths))
    european.sum += BigInt(String(row.europeanSum))
    european.squares += BigInt(String(row.europeanSquares))
    asian.sum += BigInt(String(row.asianSum))
    asian.squares += BigInt(String(row.asianSquares))
    const bins = row.histogram as readonly number[]
    for (let i = 0; i < BINS; i++) counts[i] = (counts[i] ?? 0) + (bins[i] ?? 0)
  }
  if (paths === 0n) return { lines: [] }
  const discount = Math.exp(-read.decimal('rate') * read.decimal('years'))
  const [spot, strike] = [read.decimal('spot'), read.decimal('strike')]
  const [rate, volatility, years] = [read.decimal('rate'), read.decimal('volatility'), read.decimal('years')]
  return {
    lines: [
      { label: 'Asian call', value: estimate(asian, paths, discount) },
      { label: 'European call', value: estimate(european, paths, discount) },
      {
        label: 'European call by formula',
        value: closedFormCall({ spot, strike, rate, volatility, years }).toFixed(4),
      },
      { label: 'Paths', value: String(paths) },
    ],
    histogram: { label: 'Final price', from: 0, to: 3 * spot, counts },
  }
}

/** Mean and its standard error, discounted. Exact until the last division, whatever the order of the units. */
function estimate({ sum, squares }: Total, paths: bigint, discount: number): string {
  const mean = Number(sum) / Number(paths) / FIXED_POINT
  // n·Σx² - (Σx)² in whole numbers: no cancellation.
  const spread = Number(paths * squares - sum * sum)
  const count = Number(paths)
  const error = Math.sqrt(spread / count / Math.max(1, count - 1) / count) / FIXED_POINT
  return `${(mean * discount).toFixed(4)} ± ${(error * discount).toFixed(4)}`
}
