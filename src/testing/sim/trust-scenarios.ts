import { TASK_MS } from '../../core/trust/limits.ts'
import { TRUST_RULES, type TrustRules } from '../../core/trust/rules.ts'
import type { Actor } from './trust-actor.ts'
import { TRUST_WORLD, TrustWorld, type TrustWorldInit } from './trust-world.ts'

/** What came of one attack, and which of its targets were missed. */
export interface ScenarioReport {
  readonly scenario: ScenarioName
  readonly seed: number
  readonly peers: number
  /** Attackers' part of the tasks in each hour, percent. */
  readonly sharePercentByHour: readonly number[]
  /** From the first wrong result found until nobody lends to it, minutes; of the identities that were excluded. */
  readonly minutesToExclusion: { readonly median: number; readonly max: number } | null
  readonly figures: Readonly<Record<string, number>>
  /** Empty when every target is held. */
  readonly missed: readonly string[]
}

export interface ScenarioOptions {
  readonly seed: number
  readonly peers?: number
  readonly rules?: TrustRules
  readonly evidence?: boolean
}

type Scenario = (options: ScenarioOptions) => ScenarioReport

/** Most that a clique may gain over the share that its work earns. */
const CLIQUE_GAIN_MAX = 0.05
/** Wrong results at any one requester, and at all others together, that a sleeper may give. */
const WRONG_AT_ONE_MAX = 3
const WRONG_ELSEWHERE_MAX = 10

const round = (value: number, digits = 3): number => Number(value.toPrecision(digits))

function world(
  options: ScenarioOptions,
  init: Partial<TrustWorldInit> & Pick<TrustWorldInit, 'attackers'>,
): TrustWorld {
  const { seed, peers = TRUST_WORLD.peers, rules = TRUST_RULES, evidence = true } = options
  return new TrustWorld({ ...TRUST_WORLD, ...init, seed, peers, rules, evidence })
}

function report(
  scenario: ScenarioName,
  of: { readonly world: TrustWorld; readonly figures: Record<string, number>; readonly missed: readonly string[] },
): ScenarioReport {
  const { hours, init } = of.world
  return {
    scenario,
    seed: init.seed,
    peers: init.peers,
    sharePercentByHour: hours.map(({ lent, lentToAttackers }) => round((100 * lentToAttackers) / Math.max(1, lent))),
    minutesToExclusion: exclusionTimes(of.world),
    figures: of.figures,
    missed: of.missed,
  }
}

function exclusionTimes(of: TrustWorld): { median: number; max: number } | null {
  const minutes: number[] = []
  for (const { root } of of.attackers()) {
    const [first, last] = [of.firstBarredTick.get(root), of.excludedTick.get(root)]
    if (first !== undefined && last !== undefined) minutes.push(((last - first) * TASK_MS) / 60_000)
  }
  minutes.sort((a, b) => a - b)
  const max = minutes.at(-1)
  return max === undefined ? null : { median: minutes[Math.floor(minutes.length / 2)] ?? max, max }
}

const wrongOf = ({ wrong }: Actor): number[] => [...wrong.values()]
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const percentOf = (part: number, whole: number): number => round((100 * part) / whole)

/** One machine room that makes as many identities as its work allows, and returns garbage under each. */
const sybil: Scenario = (options) => {
  const count = 200
  const of = world(options, { attackers: { role: 'sybil', count } })
  of.runHours(4)
  const attackers = of.attackers()
  const unpaid = sum(attackers.map((actor) => sum(wrongOf(actor)) - actor.undetected))
  const paid = sum(attackers.map(({ undetected }) => undetected))
  const missed = paid === 0 ? [] : [`Sybils were paid for ${paid} tasks they did not do, limit 0`]
  const figures = {
    identities: attackers.length,
    identitiesPercent: percentOf(attackers.length, of.actors.length),
    excluded: of.excludedTick.size,
    tasksMined: of.minedTasks,
    tasksRefused: unpaid,
    tasksPaidUndone: paid,
    sharePercent: percentOf(of.attackerShare(4), 1),
  }
  return report('sybil', { world: of, figures, missed })
}

/** A twentieth of the peers works honestly and praises each other without measure; beside it the same run without praise. */
const clique: Scenario = (options) => {
  const count = Math.floor((options.peers ?? TRUST_WORLD.peers) / 20)
  const hours = 6
  const runs = [false, true].map((cliqueAttests) => {
    const of = world(options, { attackers: { role: 'clique', count }, cliqueAttests })
    of.runHours(hours)
    return of
  }) as [TrustWorld, TrustWorld]
  const [honest, praising] = runs
  const [fair, got] = [honest.attackerShare(hours), praising.attackerShare(hours)]
  const gain = got / fair - 1
  const figures = {
    honestSharePercent: percentOf(fair, 1),
    sharePercent: percentOf(got, 1),
    gainPercent: round(100 * gain),
  }
  const missed =
    gain < CLIQUE_GAIN_MAX ? [] : [`The clique gained ${round(100 * gain)} % over its honest share, limit 5 %`]
  return report('clique', { world: praising, figures, missed })
}

/** Peers that do 200 good tasks, then lie whenever asked. */
const sleeper: Scenario = (options) => {
  // Many requesters of little demand each, so that a liar has many left to cheat.
  const of = world(options, { attackers: { role: 'sleeper', count: 10 }, requesters: 120, demand: 1 })
  for (let hour = 0; hour < 12 && of.attackers().some(({ root }) => !of.excludedTick.has(root)); hour++) of.runHours(1)
  const turned = of.attackers().filter(({ turnedTick }) => turnedTick !== null)
  const atOne = Math.max(...turned.map((actor) => Math.max(...wrongOf(actor))))
  const elsewhere = Math.max(...turned.map((actor) => sum(wrongOf(actor)) - Math.max(...wrongOf(actor))))
  const excluded = turned.filter(({ root }) => of.excludedTick.has(root)).length
  const missed: string[] = []
  if (atOne > WRONG_AT_ONE_MAX)
    missed.push(`A sleeper gave ${atOne} wrong results to one peer, limit ${WRONG_AT_ONE_MAX}`)
  if (elsewhere > WRONG_ELSEWHERE_MAX) {
    missed.push(`A sleeper gave ${elsewhere} wrong results elsewhere, limit ${WRONG_ELSEWHERE_MAX}`)
  }
  if (turned.length === 0) missed.push('No sleeper turned')
  const figures = {
    turned: turned.length,
    excluded,
    wrongAtOnePeerMax: atOne,
    wrongElsewhereMax: elsewhere,
    tasksPaidUndone: sum(turned.map(({ undetected }) => undetected)),
    recomputed: of.recomputed,
  }
  return report('sleeper', { world: of, figures, missed })
}

/** Ten at a time work until they are believed, cheat until they are excluded, and come back under new keys. */
const whitewasher: Scenario = (options) => {
  const of = world(options, { attackers: { role: 'whitewasher', count: 10 } })
  of.runHours(10)
  const lives = of.attackers().filter(({ root }) => of.excludedTick.has(root))
  const gained = sum(lives.map(({ undetected }) => undetected))
  const mined = lives.length * of.init.identityTasks
  const missed = gained < mined ? [] : [`${lives.length} lives gained ${gained} tasks for ${mined} mined, limit less`]
  const figures = {
    lives: lives.length,
    tasksMined: mined,
    tasksGained: gained,
    tasksGainedPerLife: round(gained / Math.max(1, lives.length)),
    tasksMinedPerLife: of.init.identityTasks,
    tasksDoneToBeBelievedPerLife: round(sum(lives.map(({ good }) => good)) / Math.max(1, lives.length)),
    wrongFound: sum(lives.map((actor) => sum(wrongOf(actor)) - actor.undetected)),
  }
  return report('whitewasher', { world: of, figures, missed })
}

/** Ten requesters of good record who accuse whoever worked for them. */
const slanderer: Scenario = (options) => {
  const of = world(options, { attackers: { role: 'slanderer', count: 10 } })
  of.runHours(4)
  const missed = of.honestBarred === 0 ? [] : [`Honest peers were barred ${of.honestBarred} times, limit 0`]
  const figures = {
    slanderers: of.attackers().length,
    convicted: of.attackers().filter(({ root }) => of.firstBarredTick.has(root)).length,
    excluded: of.attackers().filter(({ root }) => of.excludedTick.has(root)).length,
    honestBarred: of.honestBarred,
    recomputed: of.recomputed,
  }
  return report('slanderer', { world: of, figures, missed })
}

export const SCENARIOS = { sybil, clique, sleeper, whitewasher, slanderer } as const satisfies Record<string, Scenario>

export type ScenarioName = 'sybil' | 'clique' | 'sleeper' | 'whitewasher' | 'slanderer'

/** Trust broken on purpose in one decision, and the attack whose target must notice. */
export const TRUST_MUTATIONS: Readonly<
  Record<string, { readonly caughtBy: ScenarioName; readonly rules?: TrustRules; readonly evidence?: boolean }>
> = {
  'no cap on attestations': {
    caughtBy: 'clique',
    rules: {
      ...TRUST_RULES,
      attesterWeight: (credibility) => credibility,
      subnetWeight: (weight) => weight,
      attestedShare: (_tasks, confidence) => confidence,
    },
  },
  'tells nobody of lies': { caughtBy: 'sleeper', evidence: false },
  'believes any accuser': {
    caughtBy: 'slanderer',
    rules: { ...TRUST_RULES, accusersConvict: () => true },
  },
}
