import { timingRounds } from './timing-rounds.ts'

const ROUNDS = 3

postMessage({ rounds: timingRounds(ROUNDS) })
