import type { PeerId, RootId } from '../../core/codec/ids.ts'
import type { Rng } from '../../core/tasks/rng.ts'

/** What a peer in the trust simulation is up to. */
export type Role = 'honest' | 'sybil' | 'clique' | 'sleeper' | 'whitewasher' | 'slanderer'

/** One identity in the simulated network. A whitewasher goes through many. */
export interface Actor {
  readonly root: RootId
  readonly peer: PeerId
  readonly role: Role
  readonly subnet: string
  /** Chance that an honest try fails, parts per million. */
  readonly failurePpm: number
  /** Time for a task, microseconds: devices differ. */
  readonly durationUs: number
  readonly bornTick: number
  /** Tasks it was lent. */
  tasks: number
  /** Of these, done as asked. */
  good: number
  /** Since when it gives wrong results; `null` while it does not. */
  turnedTick: number | null
  /** Wrong results, by the requester they were given to. */
  readonly wrong: Map<RootId, number>
  /** Wrong results that were taken for right ones. */
  undetected: number
  busyUntilTick: number
}

const PPM = 1_000_000

export function newActor(
  index: number,
  init: { readonly role: Role; readonly subnet: string; readonly bornTick: number; readonly rng: Rng },
): Actor {
  const { role, subnet, bornTick, rng } = init
  const name = String(index).padStart(5, '0')
  return {
    // Texts that name an actor are all that trust looks at; keys and signatures have tests of their own.
    root: `root-${name}` as RootId,
    peer: `peer-${name}` as PeerId,
    role,
    subnet,
    failurePpm: rng.below(20_000),
    durationUs: 10_000_000 + rng.below(20_000_000),
    bornTick,
    tasks: 0,
    good: 0,
    turnedTick: null,
    wrong: new Map(),
    undetected: 0,
    busyUntilTick: 0,
  }
}

/** What it does with a task it was lent. */
export type Deed = 'good' | 'failed' | 'wrong'

/** How attackers choose. */
export interface Plan {
  /** Good tasks after which a sleeper turns. */
  readonly sleeperTurnsAfter: number
  /** Good tasks for one requester after which a whitewasher cheats it; 0 cheats from the first on. */
  readonly whitewasherPatience: number
}

export function deedOf(
  actor: Actor,
  at: { readonly tick: number; readonly dealtBefore: number; readonly plan: Plan; readonly rng: Rng },
): Deed {
  const { tick, dealtBefore, plan, rng } = at
  if (cheats(actor, dealtBefore, plan)) {
    actor.turnedTick ??= tick
    return 'wrong'
  }
  return rng.below(PPM) < actor.failurePpm ? 'failed' : 'good'
}

function cheats(actor: Actor, dealtBefore: number, plan: Plan): boolean {
  switch (actor.role) {
    case 'sybil':
      return true
    case 'sleeper':
      return actor.good >= plan.sleeperTurnsAfter
    case 'whitewasher':
      return dealtBefore >= plan.whitewasherPatience
    default:
      return false
  }
}
