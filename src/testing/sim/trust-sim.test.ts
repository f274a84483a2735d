import { describe, expect, it } from 'vitest'
import { SCENARIOS, type ScenarioName, TRUST_MUTATIONS } from './trust-scenarios.ts'

/** Seeds of every test run: `npm run sim:trust -- --seeds N` goes on from there. */
const SEED = 1

const names = Object.keys(SCENARIOS) as ScenarioName[]

describe('500 peers with attackers among them', () => {
  it.each(names)('[T24] holds its targets against a %s', { timeout: 120_000 }, (name) => {
    const report = SCENARIOS[name]({ seed: SEED })
    expect(report.missed).toEqual([])
    expect(report.peers).toBeGreaterThanOrEqual(500)
    expect(report.sharePercentByHour.length).toBeGreaterThan(0)
  })

  it.each(Object.entries(TRUST_MUTATIONS))('notices when trust %s', { timeout: 120_000 }, (_, mutation) => {
    const { caughtBy, ...broken } = mutation
    expect(SCENARIOS[caughtBy]({ seed: SEED, ...broken }).missed).not.toEqual([])
  })

  it('repeats a run exactly', { timeout: 60_000 }, () => {
    const run = (seed: number) => SCENARIOS.slanderer({ seed, peers: 100 })
    expect(run(7)).toEqual(run(7))
    expect(run(7)).not.toEqual(run(8))
  })
})
