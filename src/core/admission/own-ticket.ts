import type { RootId } from '../codec/ids.ts'
import { type Beacon, derivedBeacon, epochAt, ticketEndsAt } from './beacon.ts'
import type { FoundedNetwork } from './policy.ts'
import type { Ticket } from './ticket.ts'

/** What a peer may show until it has something newer. */
export interface HeldTicket {
  readonly root: RootId
  readonly ticket: Ticket
  /** The beacon's statement that goes with a proof of work. */
  readonly beacon: Uint8Array | null
}

export interface OwnSituation {
  readonly network: FoundedNetwork
  readonly root: RootId
  readonly held: HeldTicket | null
  /** Whether the room's capability is here. */
  readonly hasCapability: boolean
  /** The founder's invitation to a network of members. */
  readonly invitation: Uint8Array | null
  /** The newest beacon known, where the founder draws it. */
  readonly beacon: Beacon | null
  readonly nowMs: number
}

export type GuestReason =
  | 'no-invite'
  | 'not-a-member'
  | 'beacon-unknown'
  | 'needs-work'
  | `mining-rests-${'battery' | 'metered'}`

/** What is to be done for a ticket: nothing, signing for an epoch, showing what needs no making, or work. */
export type OwnStep =
  | { readonly type: 'keep' }
  | { readonly type: 'sign'; readonly epoch: number }
  | { readonly type: 'show'; readonly ticket: Ticket }
  | { readonly type: 'work'; readonly beacon: Beacon }
  | { readonly type: 'none'; readonly reason: GuestReason }

/** From when on a held ticket is worth nothing; `null` when it does not end by itself. */
export function heldEndsAt({ ticket }: HeldTicket, { policy }: FoundedNetwork): number | null {
  return ticket.kind === 'work' || ticket.kind === 'invite' ? ticketEndsAt(ticket.epoch, policy.epochMs) : null
}

/** Whether a held ticket is this identity's and still good. */
export function isGood(held: HeldTicket | null, { network, root, nowMs }: OwnSituation): held is HeldTicket {
  if (held === null || held.root !== root) return false
  const endsAt = heldEndsAt(held, network)
  return endsAt === null || nowMs < endsAt
}

/**
 * Decides how a peer comes by its ticket. A new one is made in the epoch after that of the one it holds, which is good meanwhile.
 * Rule [A5].
 */
export function nextOwnStep(situation: OwnSituation): OwnStep {
  const { network, root, held, hasCapability, invitation, beacon, nowMs } = situation
  const { policy, founder } = network
  const good = isGood(held, situation) ? held.ticket : null
  if (root === String(founder)) {
    return good?.kind === 'founder' ? { type: 'keep' } : { type: 'show', ticket: { kind: 'founder' } }
  }
  const listed = policy.members.some((member) => String(member) === root)
  if (listed || invitation !== null) {
    return good?.kind === 'member' ? { type: 'keep' } : { type: 'show', ticket: { kind: 'member', invitation } }
  }
  const epoch = epochAt(nowMs, policy.epochMs)
  if (good !== null && 'epoch' in good && good.epoch >= epoch) return { type: 'keep' }
  if (policy.kind === 'room') return hasCapability ? { type: 'sign', epoch } : { type: 'none', reason: 'no-invite' }
  if (policy.kind === 'members') return { type: 'none', reason: 'not-a-member' }
  const current = policy.beacon === 'derived' ? derivedBeacon(network, epoch) : beacon
  if (current?.epoch === epoch) return { type: 'work', beacon: current }
  return good === null ? { type: 'none', reason: 'beacon-unknown' } : { type: 'keep' }
}
