import type { JobId, PeerId } from '../../core/codec/ids.ts'
import { Checker } from './checker.ts'
import type { Mutation } from './mutations.ts'
import { SimNetwork } from './network.ts'
import { SimPeer } from './peer.ts'
import { drawScenario, type ScenarioOptions } from './scenario.ts'
import { World } from './world.ts'

export interface SimOptions extends ScenarioOptions {
  readonly mutation?: Mutation
  readonly trace?: (line: string) => void
}

/** What a run looked like; equal for equal seeds. */
export interface SimReport {
  readonly seed: number
  readonly peers: number
  readonly jobs: number
  readonly units: number
  readonly decided: number
  readonly steps: number
  readonly virtualMs: number
}

/** After the last job, for acknowledgements and attestations on their way. */
const AFTERMATH_MS = 15_000

/**
 * Runs one seed to its end.
 *
 * @throws {@link InvariantViolation} When the scheduler breaks a promise.
 */
export async function runSimulation(seed: number, options: SimOptions = {}): Promise<SimReport> {
  const world = new World(seed, options.trace ?? null)
  const scenario = drawScenario(world, options)
  const checker = new Checker(scenario)
  const peers = new Map<PeerId, SimPeer>()
  const network = new SimNetwork(world, scenario, (from, to, message) => peers.get(to)?.receive(from, message))
  const open = new Set<JobId>(scenario.jobs.map(({ job }) => job))
  const context = {
    world,
    network,
    checker,
    peers,
    jobs: new Map(scenario.jobs.map((plan) => [plan.job, plan])),
    mutation: options.mutation ?? null,
    jobDone: (job: JobId) => void open.delete(job),
  }
  for (const plan of scenario.peers) peers.set(plan.peer, new SimPeer(plan, context))
  for (const peer of peers.values()) world.after(world.between(0, 3_000), () => peer.boot())
  for (const plan of scenario.jobs) world.after(plan.submitAtMs, () => peers.get(plan.requester)?.submit(plan))
  schedulePartitions(world, { scenario, peers: [...peers.values()] })
  world.after(scenario.faultsEndMs, () => heal([...peers.values()]))
  await world.run(() => open.size === 0 && world.sinceStartMs >= scenario.faultsEndMs, scenario.endMs)
  await world.run(() => false, world.sinceStartMs + AFTERMATH_MS)
  checker.finished(new Map([...peers].map(([id, peer]) => [id, peer.store])))
  return {
    seed,
    peers: peers.size,
    jobs: scenario.jobs.length,
    units: scenario.jobs.reduce((sum, { spec }) => sum + spec.unitCount, 0),
    decided: checker.decidedCount,
    steps: world.steps,
    virtualMs: world.sinceStartMs,
  }
}

/** Faults are over: whoever is down comes back, and everybody can reach everybody. */
function heal(peers: readonly SimPeer[]): void {
  for (const peer of peers) if (!peer.up) peer.boot()
  connectAll(peers)
}

function connectAll(peers: readonly SimPeer[]): void {
  for (const [i, peer] of peers.entries()) for (const other of peers.slice(i + 1)) peer.connect(other)
}

function schedulePartitions(
  world: World,
  of: { readonly scenario: ReturnType<typeof drawScenario>; readonly peers: readonly SimPeer[] },
): void {
  for (const { fromMs, toMs, side } of of.scenario.partitions) {
    world.after(fromMs, () => {
      for (const peer of of.peers) {
        for (const other of of.peers) {
          const cut = side.has(peer.peer) !== side.has(other.peer)
          if (cut && world.rng.below(2) === 0) peer.disconnected(other.peer)
        }
      }
    })
    world.after(toMs, () => connectAll(of.peers))
  }
}
