import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TestJob } from './room.ts'

const MODULE = fileURLToPath(new URL('../../examples/collatz/collatz.wasm', import.meta.url))
const FIRST = 1_000_000_000n

/** A Collatz search of small numbers, whose answers plain arithmetic can give too. */
export function collatzJob(units: number, numbersPerUnit: number, options: TestJob['options']): TestJob {
  const inputs = Array.from({ length: units }, (_, unit) => ({
    stdin: `${FIRST + BigInt(unit * numbersPerUnit)} ${numbersPerUnit}`,
  }))
  return { name: 'Collatz', abi: 'reactor', module: readFileSync(MODULE), inputs, options }
}

/** What a unit must answer: the most steps of any start in its stretch, computed with nothing but numbers. */
export function expectedSteps(unit: number, numbersPerUnit: number): number {
  let most = 0
  const from = Number(FIRST) + unit * numbersPerUnit
  for (let start = from; start < from + numbersPerUnit; start++) {
    let steps = 0
    // Intermediate values stay far below 2^53 for starts near 10^9.
    for (let value = start; value !== 1; steps++) value = value % 2 === 0 ? value / 2 : 3 * value + 1
    most = Math.max(most, steps)
  }
  return most
}

export function stepsOf(stdout: string): number {
  return (JSON.parse(stdout) as { steps: number }).steps
}
