import { parseArgs } from 'node:util'
import { SCENARIOS, type ScenarioName, type ScenarioReport, TRUST_MUTATIONS } from './trust-scenarios.ts'

const HELP = `Usage: npm run sim:trust -- [--scenario NAME] [--seed S] [--seeds N] [--peers P] [--mutation NAME]

  --scenario NAME  one of ${Object.keys(SCENARIOS).join(', ')} (default: all)
  --seed S         first seed (default 1)
  --seeds N        how many seeds, counting up (default 1)
  --peers P        honest peers at the start (default 500)
  --mutation NAME  trust that is broken on purpose: ${Object.keys(TRUST_MUTATIONS).join('; ')}`

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    peers: { type: 'string' },
    mutation: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function print({
  scenario,
  seed,
  peers,
  sharePercentByHour,
  minutesToExclusion,
  figures,
  missed,
}: ScenarioReport): void {
  const times = minutesToExclusion
  console.log(
    `\n${scenario}, ${peers} peers, seed ${seed}: ${missed.length === 0 ? 'targets held' : missed.join('; ')}`,
  )
  console.log(`  share of tasks by hour, %: ${sharePercentByHour.join(' ')}`)
  if (times !== null)
    console.log(`  minutes from first wrong result found to exclusion: median ${times.median}, most ${times.max}`)
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name}: ${value}`)
}

function main(): number {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const mutation = values.mutation === undefined ? undefined : TRUST_MUTATIONS[values.mutation]
  const names = values.scenario === undefined ? Object.keys(SCENARIOS) : [values.scenario]
  const unknown = names.find((name) => !(name in SCENARIOS))
  if (unknown !== undefined || (values.mutation !== undefined && mutation === undefined)) {
    console.error(HELP)
    return 2
  }
  let held = true
  const first = Number(values.seed)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    for (const name of names) {
      const peers = values.peers === undefined ? {} : { peers: Number(values.peers) }
      // The names were just looked up.
      const report = SCENARIOS[name as ScenarioName]({ seed, ...peers, ...mutation })
      print(report)
      held &&= report.missed.length === 0
    }
  }
  return held ? 0 : 1
}

process.exitCode = main()
