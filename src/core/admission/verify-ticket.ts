import type { PeerId, RootId } from '../codec/ids.ts'
import type { Verifier } from '../identity/ports.ts'
import { type Beacon, derivedBeacon, epochAt, readBeacon, ticketEndsAt } from './beacon.ts'
import {
  BadInvitationError,
  FutureTicketError,
  InsufficientWorkError,
  NotAMemberError,
  StaleTicketError,
  TicketKindError,
  TicketParametersError,
  WrongBeaconError,
} from './errors.ts'
import { readInvitation } from './invitation.ts'
import { EPOCH_LEAD_MS, WORK_PASSES } from './limits.ts'
import type { FoundedNetwork, PolicyKind } from './policy.ts'
import {
  decodeTicket,
  type InviteTicket,
  inviteBytes,
  leadingZeroBits,
  type Ticket,
  type WorkTicket,
  workChallenge,
} from './ticket.ts'

/** Argon2id with one lane and tags of 32 bytes (RFC 9106). */
export type Argon2id = (init: {
  readonly password: Uint8Array
  readonly salt: Uint8Array
  readonly memoryKibibytes: number
  readonly passes: number
}) => Uint8Array

/** What a ticket is judged by. */
export interface TicketContext {
  readonly network: FoundedNetwork
  /** Who shows it, as its certificate says. */
  readonly root: RootId
  /** The founder's beacon that came with the ticket, if one did. */
  readonly beacon: Uint8Array | null
  readonly nowMs: number
  readonly verifier: Verifier
  readonly argon2id: Argon2id
  /** Called before anything is hashed; throws when too much was already. */
  readonly spend: () => void
}

export interface Admission {
  readonly means: Ticket['kind']
  /** From here on it is a guest again; `null` lasts as long as the identity. */
  readonly expiresAtMs: number | null
}

/** Kinds that a policy takes; the founder is always let in. Rule [A3]. */
const TAKEN: Readonly<Record<PolicyKind, readonly Ticket['kind'][]>> = {
  room: ['invite', 'member', 'founder'],
  open: ['work', 'member', 'founder'],
  members: ['member', 'founder'],
}

/**
 * Judges a ticket. Bounds come first, then kind, epoch and parameters, then signatures, and only then is anything hashed.
 *
 * @throws The named error of the first rule that it breaks; see `errors.ts`.
 */
export async function verifyTicket(bytes: Uint8Array, context: TicketContext): Promise<Admission> {
  const ticket = decodeTicket(bytes)
  const { policy } = context.network
  if (!TAKEN[policy.kind].includes(ticket.kind)) {
    const limit = TAKEN[policy.kind].join(', ')
    throw new TicketKindError(`Ticket is of kind ${ticket.kind}, limit ${limit}`, {
      field: 'ticket.kind',
      value: ticket.kind,
      limit,
    })
  }
  switch (ticket.kind) {
    case 'work':
      return await verifyWork(ticket, context)
    case 'invite':
      return await verifyInvite(ticket, context)
    case 'member':
      return await verifyMember(ticket.invitation, context)
    case 'founder':
      return verifyFounder(context)
  }
}

async function verifyWork(ticket: WorkTicket, context: TicketContext): Promise<Admission> {
  checkEpoch(ticket.epoch, context)
  const { work } = context.network.policy
  // Before the beacon is known nothing but the policy may be believed, and nothing beyond it is ever hashed.
  checkParameter('memoryKibibytes', ticket.memoryKibibytes, work.memoryKibibytes)
  checkParameter('passes', ticket.passes, WORK_PASSES)
  const beacon = await beaconOf(ticket.epoch, context)
  checkParameter('difficultyBits', ticket.difficultyBits, beacon.difficultyBits)
  context.spend()
  const { networkId } = context.network
  const { memoryKibibytes, passes, nonce } = ticket
  const salt = workChallenge({ networkId, root: context.root, beacon })
  const bits = leadingZeroBits(context.argon2id({ password: nonce, salt, memoryKibibytes, passes }))
  if (bits < beacon.difficultyBits) {
    throw new InsufficientWorkError(`Proof has ${bits} zero bits, limit ${beacon.difficultyBits}`, {
      field: 'ticket.nonce',
      value: bits,
      limit: beacon.difficultyBits,
    })
  }
  return { means: 'work', expiresAtMs: ticketEndsAt(ticket.epoch, context.network.policy.epochMs) }
}

async function beaconOf(epoch: number, { network, beacon, verifier }: TicketContext): Promise<Beacon> {
  if (network.policy.beacon === 'derived') return derivedBeacon(network, epoch)
  if (beacon === null) throw new WrongBeaconError('Proof came without its beacon', { field: 'beacon', value: null })
  const read = await readBeacon(beacon, network, verifier)
  if (read.epoch !== epoch) {
    throw new WrongBeaconError(`Beacon is of epoch ${read.epoch}, limit ${epoch}`, {
      field: 'epoch-beacon.epoch',
      value: read.epoch,
      limit: epoch,
    })
  }
  return read
}

async function verifyInvite(ticket: InviteTicket, context: TicketContext): Promise<Admission> {
  checkEpoch(ticket.epoch, context)
  const { networkId, policy } = context.network
  // The policy's shape gives every room its key.
  const key = policy.inviteKey as PeerId
  const message = inviteBytes({ networkId, root: context.root, epoch: ticket.epoch })
  if (!(await context.verifier.verify(key, message, ticket.signature))) {
    throw new BadInvitationError('Signature of the ticket is not by the capability of this room', {
      field: 'ticket.signature',
      value: context.root,
      limit: key,
    })
  }
  return { means: 'invite', expiresAtMs: ticketEndsAt(ticket.epoch, policy.epochMs) }
}

async function verifyMember(invitation: Uint8Array | null, context: TicketContext): Promise<Admission> {
  const { network, root, nowMs, verifier } = context
  if (network.policy.members.some((member) => String(member) === root)) return { means: 'member', expiresAtMs: null }
  if (invitation === null) {
    throw new NotAMemberError('The identity is not listed and shows no invitation', { field: 'root', value: root })
  }
  const { expiresAtMs } = await readInvitation(invitation, { network, root, nowMs, verifier })
  return { means: 'member', expiresAtMs }
}

function verifyFounder({ network, root }: TicketContext): Admission {
  if (String(network.founder) === root) return { means: 'founder', expiresAtMs: null }
  throw new NotAMemberError('The identity is not the founder of this network', {
    field: 'root',
    value: root,
    limit: network.founder,
  })
}

function checkEpoch(epoch: number, { network, nowMs }: TicketContext): void {
  const { epochMs } = network.policy
  if (nowMs >= ticketEndsAt(epoch, epochMs)) {
    throw new StaleTicketError(`Ticket is of epoch ${epoch}, over since ${ticketEndsAt(epoch, epochMs)}`, {
      field: 'ticket.epoch',
      value: epoch,
      limit: epochAt(nowMs, epochMs) - 1,
    })
  }
  if (epoch > epochAt(nowMs + EPOCH_LEAD_MS, epochMs)) {
    throw new FutureTicketError(`Ticket is of epoch ${epoch}, limit ${epochAt(nowMs, epochMs)}`, {
      field: 'ticket.epoch',
      value: epoch,
      limit: epochAt(nowMs, epochMs),
    })
  }
}

function checkParameter(field: string, value: number, limit: number): void {
  if (value === limit) return
  throw new TicketParametersError(`Ticket has ${field} ${value}, limit ${limit} exactly`, {
    field: `ticket.${field}`,
    value,
    limit,
  })
}
