import type { UnitOutcome } from '../../src/core/tasks/unit.ts'
import { defineExample, type ExampleSummary, inputOf, jsonOf, wholeOption } from '../example.ts'
import job from './job.json' with { type: 'json' }

/** Searches a range of starting numbers for the longest Collatz sequence, a stretch of it in each unit. */
export const collatz = defineExample({
  id: 'collatz',
  job,
  options: [
    wholeOption('start', {
      label: 'From',
      help: 'The first starting number; up to 36 digits',
      default: '1000000000000000000',
      min: '1',
      max: '999999999999999999999999999999999999',
    }),
    wholeOption('units', {
      label: 'Units',
      help: 'Into how many stretches the range is cut',
      default: '200',
      min: '1',
      max: '100000',
    }),
    wholeOption('count', {
      label: 'Numbers per unit',
      help: 'Starting numbers that one unit tries',
      default: '100000',
      min: '1',
      max: '100000000',
    }),
  ],
  plan(read) {
    const start = read.whole('start')
    const count = read.whole('count')
    const units = read.count('units')
    const inputs = Array.from({ length: units }, (_, i) => inputOf(`${start + BigInt(i) * count} ${count}`))
    const last = start + BigInt(units) * count - 1n
    return { inputs, view: { kind: 'table' }, caption: `Starting numbers from ${start} to ${last}` }
  },
  summarize: (_, outcomes) => summarize(outcomes),
})

function summarize(outcomes: Iterable<UnitOutcome>): ExampleSummary {
  let tried = 0n
  let steps = -1
  let longest = 0n
  let highest = 0n
  for (const row of jsonOf(outcomes)) {
    tried += BigInt(String(row.count))
    const rowSteps = Number(row.steps)
    const rowLongest = BigInt(String(row.longest))
    // Units arrive in any order: of equally long sequences the smallest start counts.
    if (rowSteps > steps || (rowSteps === steps && rowLongest < longest)) {
      steps = rowSteps
      longest = rowLongest
    }
    const rowHighest = BigInt(String(row.highest))
    if (rowHighest > highest) highest = rowHighest
  }
  if (steps < 0) return { lines: [] }
  return {
    lines: [
      { label: 'Longest sequence starts at', value: String(longest) },
      { label: 'Steps until 1', value: String(steps) },
      { label: 'Highest number reached', value: String(highest) },
      { label: 'Numbers tried', value: String(tried) },
    ],
  }
}
