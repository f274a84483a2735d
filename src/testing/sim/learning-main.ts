import { parseArgs } from 'node:util'
import type { AggregationMode } from '../../core/learning/task.ts'
import { runLearning } from './learning-world.ts'

const HELP = `Usage: npm run sim:learning -- [--seed S] [--seeds N] [--peers P] [--mode M] [--proofs] [--trace]

  --seed S   first seed (default 1)
  --seeds N  how many seeds, counting up (default 1)
  --peers P  peers in each run (default: drawn from the seed, 4 to 16)
  --mode M   plain (default), secure-sum or grouped
  --proofs   members prove what they sum up, in a secure mode
  --trace    print every statement and outcome`

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    peers: { type: 'string' },
    mode: { type: 'string', default: 'plain' },
    proofs: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const first = Number(values.seed)
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    try {
      const report = await runLearning(seed, {
        ...(values.peers !== undefined && { peers: Number(values.peers) }),
        mode: values.mode as AggregationMode,
        proofs: values.proofs,
        ...(values.trace && { trace: (line: string) => console.log(line) }),
      })
      console.log(JSON.stringify(report))
    } catch (error) {
      console.error(`Seed ${seed} failed: ${error instanceof Error ? error.stack : error}`)
      return 1
    }
  }
  return 0
}

process.exitCode = await main()
