import { describe, expect, it } from 'vitest'
import { InvariantViolation } from './checker.ts'
import { MUTATIONS } from './mutations.ts'
import { runSimulation } from './run.ts'

/** Seeds of every test run: `npm run sim -- --seeds N` goes on from there. */
const SEEDS = 200
const SEEDS_PER_TEST = 20
/** A mutant that survives this many seeds is one the invariants do not see. */
const MUTANT_SEEDS = 40

/** Says how to repeat the run before the test fails. */
async function run(seed: number) {
  try {
    return await runSimulation(seed)
  } catch (error) {
    throw new Error(`Seed ${seed} failed. Replay with: npm run sim -- --seed ${seed} --trace`, { cause: error })
  }
}

describe('simulated network of real schedulers', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    it(`keeps every promise with seeds ${first} to ${first + SEEDS_PER_TEST - 1}`, { timeout: 180_000 }, async () => {
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        const report = await run(seed)
        expect(report.decided).toBe(report.units)
      }
    })
  }

  it('repeats a run exactly, to the last message', { timeout: 60_000 }, async () => {
    const record = async () => {
      const lines: string[] = []
      await runSimulation(5, { trace: (line) => lines.push(line) })
      return lines
    }
    const first = await record()
    expect(first.length).toBeGreaterThan(1_000)
    expect(await record()).toEqual(first)
  })

  it('has at least 50 peers when asked to', { timeout: 60_000 }, async () => {
    const report = await runSimulation(3, { peers: 50 })
    expect(report.peers).toBe(50)
    expect(report.decided).toBe(report.units)
  })
})

describe('schedulers broken on purpose', () => {
  for (const [name, mutation] of Object.entries(MUTATIONS)) {
    it(`${name}: the invariant ${mutation.caughtBy} says so`, { timeout: 120_000 }, async () => {
      for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
        try {
          await runSimulation(seed, { mutation })
        } catch (error) {
          if (!(error instanceof InvariantViolation)) throw error
          expect(error.invariant).toBe(mutation.caughtBy)
          return
        }
      }
      expect.fail(`${MUTANT_SEEDS} seeds did not notice a scheduler that ${name}`)
    })
  }
})
