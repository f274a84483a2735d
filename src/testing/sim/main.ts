import { parseArgs } from 'node:util'
import { MUTATIONS, type MutationName } from './mutations.ts'
import { runSimulation, type SimOptions } from './run.ts'

const HELP = `Usage: npm run sim -- [--seed S] [--seeds N] [--peers P] [--mutation NAME] [--trace]

  --seed S         first seed (default 1)
  --seeds N        how many seeds, counting up (default 1)
  --peers P        peers in each run (default: drawn from the seed, 8 to 60)
  --mutation NAME  run a scheduler that is broken on purpose: ${Object.keys(MUTATIONS).join('; ')}
  --trace          print every message and notice`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    peers: { type: 'string' },
    mutation: { type: 'string' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

function optionsOf(): SimOptions {
  const name = values.mutation
  if (name !== undefined && !(name in MUTATIONS)) throw new Error(`Unknown mutation "${name}"\n\n${HELP}`)
  return {
    ...(values.peers !== undefined && { peers: Number(values.peers) }),
    // The name was just looked up.
    ...(name !== undefined && { mutation: MUTATIONS[name as MutationName] }),
    ...(values.trace && { trace: (line: string) => console.log(line) }),
  }
}

/** The command that repeats a run exactly. */
function replayCommand(seed: number): string {
  const peers = values.peers === undefined ? '' : ` --peers ${values.peers}`
  const mutation = values.mutation === undefined ? '' : ` --mutation "${values.mutation}"`
  return `npm run sim -- --seed ${seed}${peers}${mutation}`
}

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const options = optionsOf()
  const first = Number(values.seed)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    try {
      console.log(JSON.stringify(await runSimulation(seed, options)))
    } catch (error) {
      console.error(
        `Seed ${seed} failed: ${error instanceof Error ? error.stack : error}\n\nReplay with: ${replayCommand(seed)} --trace`,
      )
      return 1
    }
  }
  return 0
}

process.exitCode = await main()
