import { describe, expect, it } from 'vitest'
import { LearningViolation, runLearning } from './learning-world.ts'

/** Seeds of every test run: `npm run sim:learning -- --seeds N` goes on from there. */
const SEEDS = 120
const SEEDS_PER_TEST = 30
const SECRET_SEEDS = 12
const GROUPED_SEEDS = 2
const PROVED_SEEDS = 12
/** A mutant that survives this many seeds is one the checks do not see. */
const MUTANT_SEEDS = 100

describe('simulated rounds of learning', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    it(`decide one model for each round with seeds ${first} to ${first + SEEDS_PER_TEST - 1}`, {
      timeout: 120_000,
    }, async () => {
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        const report = await runLearning(seed).catch((cause: unknown) => {
          const replay = `npm run sim:learning -- --seed ${seed} --trace`
          throw new Error(`Seed ${seed} failed. Replay with: ${replay}`, { cause })
        })
        expect(report.finished).toBe(report.peers - report.hostile)
      }
    })
  }

  it('[G5] 100 peers, a fifth of them hostile: all honest ones hold the same model', { timeout: 120_000 }, async () => {
    const report = await runLearning(1, { peers: 100, rounds: 2 })
    expect(report.hostile).toBeGreaterThanOrEqual(15)
    expect(report.finished).toBe(100 - report.hostile)
  })

  // Fewer, since each peer does the arithmetic of every sum: `npm run sim:learning -- --mode secure-sum --seeds N` goes on from there.
  for (const [mode, seeds] of [
    ['secure-sum', SECRET_SEEDS],
    ['grouped', GROUPED_SEEDS],
  ] as const) {
    it(`[GS1] decide the plain sum of secret updates in mode ${mode}`, { timeout: 120_000 }, async () => {
      const seen = { found: 0, withDropouts: 0, convicted: 0 }
      for (let seed = 1; seed <= seeds; seed++) {
        const report = await runLearning(seed, { mode }).catch((cause: unknown) => {
          const replay = `npm run sim:learning -- --mode ${mode} --seed ${seed} --trace`
          throw new Error(`Seed ${seed} failed. Replay with: ${replay}`, { cause })
        })
        expect(report.finished).toBe(report.peers - report.hostile)
        for (const key of ['found', 'withDropouts', 'convicted'] as const) seen[key] += report.sums?.[key] ?? 0
      }
      // Otherwise the runs would show nothing.
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(0)
    })
  }

  it('[Z7] merge proved sums alone, whoever proves falsely', { timeout: 120_000 }, async () => {
    const seen = { found: 0, convicted: 0 }
    for (let seed = 1; seed <= PROVED_SEEDS; seed++) {
      const report = await runLearning(seed, { mode: 'secure-sum', proofs: true }).catch((cause: unknown) => {
        const replay = `npm run sim:learning -- --mode secure-sum --proofs --seed ${seed} --trace`
        throw new Error(`Seed ${seed} failed. Replay with: ${replay}`, { cause })
      })
      expect(report.finished).toBe(report.peers - report.hostile)
      for (const key of ['found', 'convicted'] as const) seen[key] += report.sums?.[key] ?? 0
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0)
  })

  it('repeats a run exactly', async () => {
    const record = async () => {
      const lines: string[] = []
      await runLearning(7, { trace: (line) => lines.push(line) })
      return lines
    }
    const first = await record()
    expect(first.length).toBeGreaterThan(100)
    expect(await record()).toEqual(first)
  })

  it('notices a quorum that is too small: two models of one round', { timeout: 60_000 }, async () => {
    for (let seed = 1; seed <= MUTANT_SEEDS; seed++) {
      try {
        // Two models show while faults last or never: nobody waits for those that got stuck.
        await runLearning(seed, {
          peers: 8,
          rounds: 3,
          livenessMs: 0,
          quorum: (members) => Math.floor(members / 3) + 1,
        })
      } catch (error) {
        if (!(error instanceof LearningViolation)) throw error
        if (!error.message.includes('[one-model]')) continue
        return
      }
    }
    expect.fail(`${MUTANT_SEEDS} seeds did not notice a quorum of a third`)
  })
})
