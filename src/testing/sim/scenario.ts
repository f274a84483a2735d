import { utf8 } from '../../core/codec/bytes.ts'
import { cidOf } from '../../core/codec/cid.ts'
import type { JobId, PeerId } from '../../core/codec/ids.ts'
import { peerIdOf } from '../../core/identity/peer-id.ts'
import type { JobSpec } from '../../core/tasks/job.ts'
import type { Manifest } from '../../core/tasks/manifest.ts'
import { manifestHash, validateManifest } from '../../core/tasks/manifest-schema.ts'
import type { World } from './world.ts'

/**
 * How an executor behaves. `colluder`s tell the same lie, and are fewer than any quorum; an `equivocator` signs two outcomes for one
 * unit; a `hung` one takes units, sends its heartbeats and never finishes; a `flaky` one fails at many units.
 */
export type Behaviour = 'honest' | 'slow' | 'flaky' | 'hung' | 'wrong-output' | 'wrong-gas' | 'colluder' | 'equivocator'

export const LIARS: ReadonlySet<Behaviour> = new Set(['wrong-output', 'wrong-gas', 'colluder', 'equivocator'])

export interface PeerPlan {
  readonly peer: PeerId
  readonly behaviour: Behaviour
  readonly workers: number
  /** Duration of a unit here, in parts per thousand of what it takes on a plain device. */
  readonly paceMille: number
  readonly clockSkewMs: number
  /** Chance to crash before an effect, while faults last. */
  readonly crashPpm: number
}

export interface JobPlan {
  readonly job: JobId
  readonly requester: PeerId
  readonly spec: JobSpec
  readonly submitAtMs: number
  /** Duration of one unit on a plain device. */
  readonly unitMs: number
  /** Whether outcomes are too large to travel inline. */
  readonly largeOutcomes: boolean
}

/** What the wire does while faults last. */
export interface LinkPlan {
  readonly delayMsMin: number
  readonly delayMsMax: number
  readonly lossPpm: number
  readonly duplicatePpm: number
  /** Extra delay of some messages, which puts them behind later ones. */
  readonly reorderPpm: number
}

export interface Scenario {
  readonly peers: readonly PeerPlan[]
  readonly jobs: readonly JobPlan[]
  readonly links: LinkPlan
  readonly faultsEndMs: number
  readonly partitions: readonly { readonly fromMs: number; readonly toMs: number; readonly side: ReadonlySet<PeerId> }[]
  /** Virtual time in which every job must be done. */
  readonly endMs: number
}

const WALL_MS = 5_000

/** Room for deadlines, silent executors and doubled resends after the last fault. */
const LIVENESS_MS = 600_000

export interface ScenarioOptions {
  /** Number of peers; drawn from the seed when absent. */
  readonly peers?: number
}

/** Draws everything that is fixed for a run. */
export function drawScenario(world: World, options: ScenarioOptions = {}): Scenario {
  const large = options.peers === undefined ? world.rng.below(12) === 0 : options.peers >= 50
  const count = options.peers ?? (large ? world.between(50, 60) : world.between(8, 20))
  const requesterCount = world.between(1, large ? 4 : 3)
  const calm = world.rng.below(4) === 0
  const links: LinkPlan = {
    delayMsMin: world.between(1, 20),
    delayMsMax: world.between(20, 200),
    lossPpm: calm ? 0 : world.between(0, 200_000),
    duplicatePpm: calm ? 0 : world.between(0, 100_000),
    reorderPpm: calm ? 0 : world.between(0, 200_000),
  }
  const peers = drawPeers(world, { count, requesterCount, calm })
  const faultsEndMs = world.between(5_000, 60_000)
  const jobs = drawJobs(world, { peers, requesterCount, large })
  const partitions = calm ? [] : drawPartitions(world, { peers, untilMs: faultsEndMs })
  return { peers, jobs, links, faultsEndMs, partitions, endMs: faultsEndMs + LIVENESS_MS }
}

const QUORUM_MAX = 3

/** A pair; with one, every quorum is three. */
const COLLUDERS_MAX = 2

function drawPeers(world: World, of: { count: number; requesterCount: number; calm: boolean }): PeerPlan[] {
  // Enough honest executors for any quorum, whatever the rest does.
  const honest = QUORUM_MAX + 1 + of.requesterCount
  const peers: PeerPlan[] = []
  let colluders = 0
  for (let i = 0; i < of.count; i++) {
    const behaviour = i < honest ? 'honest' : drawBehaviour(world, colluders)
    if (behaviour === 'colluder') colluders++
    peers.push({
      peer: peerIdOf(Uint8Array.from({ length: 32 }, () => world.rng.below(256))),
      behaviour,
      workers: world.between(1, 4),
      paceMille: behaviour === 'slow' ? world.between(3_000, 20_000) : world.between(700, 1_500),
      clockSkewMs: world.between(-2_000, 2_000),
      crashPpm: of.calm ? 0 : world.rng.below(3) === 0 ? world.between(0, 8_000) : 0,
    })
  }
  return peers
}

const BEHAVIOURS: readonly Behaviour[] = [
  'honest',
  'honest',
  'honest',
  'slow',
  'flaky',
  'hung',
  'wrong-output',
  'wrong-gas',
  'colluder',
  'equivocator',
]

function drawBehaviour(world: World, colluders: number): Behaviour {
  // The index is below the length.
  const drawn = BEHAVIOURS[world.rng.below(BEHAVIOURS.length)] as Behaviour
  return drawn === 'colluder' && colluders >= COLLUDERS_MAX ? 'honest' : drawn
}

function drawJobs(world: World, of: { peers: readonly PeerPlan[]; requesterCount: number; large: boolean }): JobPlan[] {
  const jobs: JobPlan[] = []
  const liars = of.peers.some(({ behaviour }) => LIARS.has(behaviour))
  const colluders = of.peers.filter(({ behaviour }) => behaviour === 'colluder').length
  const quorumMin = Math.max(liars ? 2 : 1, colluders + 1)
  for (let r = 0; r < of.requesterCount; r++) {
    // The first peers are the requesters.
    const requester = (of.peers[r] as PeerPlan).peer
    for (let j = world.between(1, 2); j > 0; j--) jobs.push(drawJob(world, { requester, quorumMin, large: of.large }))
  }
  return jobs
}

const DATA = { mediaType: 'text/plain', bytesMin: 0, bytesMax: 1_000_000, description: '' }

const RESOURCES = {
  memoryBytesMax: 2 ** 27,
  cores: 1,
  wallMsMax: WALL_MS,
  stackBytesMax: 2 ** 18,
  gasMax: 10n ** 12n,
  outputBytesMax: 1_000_000,
}

/** Clocks of the peers differ by seconds; a job begins early enough for all. */
const HEAD_START_MS = 60_000

function drawJob(world: World, of: { requester: PeerId; quorumMin: number; large: boolean }): JobPlan {
  const quorum = world.between(of.quorumMin, QUORUM_MAX)
  const manifest: Manifest = validateManifest({
    version: 1,
    requester: of.requester,
    nonce: Uint8Array.from({ length: 16 }, () => world.rng.below(256)),
    name: 'simulated',
    module: cidOf(utf8('module'), 'raw'),
    abi: 'reactor',
    args: [],
    env: [],
    files: [],
    resources: RESOURCES,
    payment: { microUnitsPerSecond: 100n, microUnitsPerMebibyte: 3n, microUnitsTotalMax: 10_000n },
    serviceLevel: { uptimePpmMin: 0, failurePpmMax: 1_000_000, reputationPpmMin: 0 },
    verification: {
      replicas: world.between(quorum, QUORUM_MAX),
      quorum,
      auditPpm: world.rng.below(3) === 0 ? 200_000 : 0,
      speculation: world.rng.below(4) > 0,
    },
    input: DATA,
    output: DATA,
    priority: world.rng.below(10),
    validFromMs: world.nowMs - HEAD_START_MS,
    validUntilMs: world.nowMs + 24 * 3_600_000,
  })
  const spec: JobSpec = {
    manifest,
    manifestCid: cidOf(manifest.nonce, 'dag-cbor'),
    unitCount: world.between(5, of.large ? 150 : 60),
    executeHere: world.rng.below(2) === 0,
    shortage: { policy: 'wait' },
  }
  return {
    job: manifestHash(manifest),
    requester: of.requester,
    spec,
    submitAtMs: world.between(0, 5_000),
    unitMs: world.rng.below(3) === 0 ? world.between(1, 10) : world.between(20, 1_000),
    largeOutcomes: world.rng.below(5) === 0,
  }
}

function drawPartitions(world: World, of: { peers: readonly PeerPlan[]; untilMs: number }): Scenario['partitions'] {
  return Array.from({ length: world.rng.below(3) }, () => {
    const fromMs = world.rng.below(of.untilMs)
    const toMs = Math.min(of.untilMs, fromMs + world.between(1_000, 20_000))
    const side = new Set(of.peers.filter(() => world.rng.below(2) === 0).map(({ peer }) => peer))
    return { fromMs, toMs, side }
  })
}
