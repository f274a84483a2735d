// Tests for docs/PROTOCOL.md, admission.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import type { RootId } from '../codec/ids.ts'
import type { Signer } from '../identity/ports.ts'
import { type Beacon, derivedBeacon, readBeacon, signBeacon, ticketEndsAt } from './beacon.ts'
import { signInvitation } from './invitation.ts'
import {
  EPOCH_LEAD_MS,
  EPOCH_MS,
  INVITATION_MS_MAX,
  PROOFS_BURST_MAX,
  TICKET_FAILURES_PER_MINUTE_MAX,
} from './limits.ts'
import { defaultPolicy, type FoundedNetwork, foundNetwork, type Policy, readPolicy } from './policy.ts'
import {
  decodeTicket,
  encodeTicket,
  leadingZeroBits,
  makeInviteTicket,
  nonceBytes,
  type Ticket,
  type WorkTicket,
  workChallenge,
} from './ticket.ts'
import { TicketBudget } from './ticket-budget.ts'
import { type TicketContext, verifyTicket } from './verify-ticket.ts'

const EPOCH = 1_000
const NOW = EPOCH * EPOCH_MS + 60_000
const nonce = new Uint8Array(16).fill(7)
const founder = testSigner(1)
const capability = testSigner(2)
const rootOf = (signer: Signer): RootId => signer.author as string as RootId
const alice = rootOf(testSigner(3))
const bob = rootOf(testSigner(4))

let hashed = 0
/** As many zero bits as the first byte of the nonce says, for one challenge only: what matters is that it is asked with the right one. */
const fakeArgon2id =
  (challenge: Uint8Array): TicketContext['argon2id'] =>
  ({ password, salt }) => {
    hashed++
    const bits = salt.every((byte, at) => byte === challenge[at]) ? (password[0] ?? 0) : 0
    const tag = new Uint8Array(32).fill(255)
    for (let bit = 0; bit < bits; bit++) tag[bit >> 3] = (tag[bit >> 3] ?? 0) & ~(0x80 >> (bit & 7))
    return tag
  }

let room: FoundedNetwork
let open: FoundedNetwork
let members: FoundedNetwork
let beacon: Beacon

const found = (policy: Policy): Promise<FoundedNetwork> => foundNetwork(policy, { founder, nowMs: NOW, nonce })

beforeAll(async () => {
  room = await found(defaultPolicy('room', 'a room', capability.author))
  open = await found(defaultPolicy('open', 'open', null))
  members = await found({ ...defaultPolicy('members', 'members', null), members: [testSigner(3).author] })
  beacon = await drawBeacon({})
})

function drawBeacon(
  change: Partial<{ epoch: number; difficultyBits: number; networkId: string; founder: Signer }>,
): Promise<Beacon> {
  const { epoch = EPOCH, difficultyBits = 16, networkId = open.networkId, founder: signer = founder } = change
  const drawn = { epoch, difficultyBits, random: new Uint8Array(32).fill(9) }
  return signBeacon(drawn, { networkId, founder: signer, nowMs: NOW, nonce })
}

function context(network: FoundedNetwork, change: Partial<TicketContext> = {}): TicketContext {
  const root = change.root ?? alice
  return {
    network,
    root,
    beacon: beacon.statement,
    nowMs: NOW,
    verifier: testVerifier,
    argon2id: fakeArgon2id(workChallenge({ networkId: open.networkId, root: alice, beacon })),
    spend: () => undefined,
    ...change,
  }
}

const work = (change: Partial<WorkTicket> = {}): WorkTicket => ({
  kind: 'work',
  epoch: EPOCH,
  memoryKibibytes: open.policy.work.memoryKibibytes,
  passes: 1,
  difficultyBits: 16,
  nonce: nonceBytes(16n),
  ...change,
})

const judge = (ticket: Ticket, of: TicketContext) => verifyTicket(encodeTicket(ticket), of)
const refuses = async (ticket: Ticket, of: TicketContext, name: string): Promise<void> => {
  await expect(judge(ticket, of)).rejects.toMatchObject({ name })
}

describe('a policy', () => {
  it('[A2] names its network, and another policy, author or moment names another', async () => {
    const same = await found(open.policy)
    expect(same.networkId).toBe(open.networkId)
    expect(open.networkId).toMatch(/^b[a-z2-7]{52}$/)
    const others = [
      await found({ ...open.policy, quotas: !open.policy.quotas }),
      await foundNetwork(open.policy, { founder: testSigner(9), nowMs: NOW, nonce }),
      await foundNetwork(open.policy, { founder, nowMs: NOW, nonce: new Uint8Array(16) }),
    ]
    expect(new Set([open.networkId, ...others.map(({ networkId }) => networkId)]).size).toBe(4)
  })

  it('[A2] is read back as it was, and refused when it is another network’s, forged or changed', async () => {
    const { networkId, bytes, policy } = room
    expect((await readPolicy(bytes, { networkId, verifier: testVerifier })).policy).toEqual(policy)
    await expect(readPolicy(bytes, { networkId: open.networkId, verifier: testVerifier })).rejects.toMatchObject({
      name: 'BadPolicyError',
    })
    const refusing = { verify: async () => false }
    await expect(readPolicy(bytes, { networkId, verifier: refusing })).rejects.toMatchObject({
      name: 'BadSignatureError',
    })
    for (let at = 0; at < bytes.length; at += 13) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(readPolicy(changed, { networkId, verifier: testVerifier }), `byte ${at}`).rejects.toThrow()
    }
  })

  it('[A1] is refused beyond its bounds: memory, difficulty, epoch, a room without a key', async () => {
    const base = defaultPolicy('open', 'x', null)
    const wrong: Policy[] = [
      { ...base, work: { ...base.work, memoryKibibytes: 1_048_576 } },
      { ...base, work: { ...base.work, difficultyBitsMax: 33 } },
      { ...base, work: { ...base.work, difficultyBitsMin: 20, difficultyBitsMax: 19 } },
      { ...base, epochMs: 1 },
      { ...base, kind: 'room' },
      { ...base, name: '' },
    ]
    for (const policy of wrong) await expect(found(policy)).rejects.toMatchObject({ name: 'InvalidMessageError' })
  })
})

describe('a ticket', () => {
  it('[A3] is read back as it was, and never as anything else', () => {
    const bytes = fc.uint8Array({ minLength: 8, maxLength: 8 })
    const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const tickets: fc.Arbitrary<Ticket> = fc.oneof(
      fc.record({
        kind: fc.constant('work' as const),
        epoch: number,
        memoryKibibytes: number,
        passes: number,
        difficultyBits: number,
        nonce: bytes,
      }),
      fc.record({
        kind: fc.constant('invite' as const),
        epoch: number,
        signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
      }),
      fc.record({
        kind: fc.constant('member' as const),
        invitation: fc.option(fc.uint8Array({ minLength: 1, maxLength: 500 })),
      }),
    )
    fc.assert(
      fc.property(tickets, (ticket) => {
        expect(decodeTicket(encodeTicket(ticket))).toEqual(ticket)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        expect(() => decodeTicket(noise)).toThrow()
      }),
    )
    expect(() => decodeTicket(encode({ kind: 'founder', more: 1 }))).toThrow()
    expect(() => decodeTicket(new Uint8Array(5_000))).toThrow(expect.objectContaining({ name: 'LimitExceededError' }))
  })

  it('[A3] counts only where the policy takes its kind', async () => {
    const invite = await makeInviteTicket({ networkId: open.networkId, root: alice, epoch: EPOCH }, capability)
    await refuses(work(), context(room), 'TicketKindError')
    await refuses(work(), context(members), 'TicketKindError')
    await refuses(invite, context(open), 'TicketKindError')
    await refuses(invite, context(members), 'TicketKindError')
  })

  it('[A5] is good in its epoch and the next, to the millisecond', async () => {
    const start = EPOCH * EPOCH_MS
    const end = ticketEndsAt(EPOCH, EPOCH_MS)
    expect(end).toBe(start + 2 * EPOCH_MS)
    const at = (nowMs: number) => context(open, { nowMs })
    expect(await judge(work(), at(start))).toEqual({ means: 'work', expiresAtMs: end })
    expect(await judge(work(), at(end - 1))).toEqual({ means: 'work', expiresAtMs: end })
    await refuses(work(), at(end), 'StaleTicketError')
    expect((await judge(work(), at(start - EPOCH_LEAD_MS))).means).toBe('work')
    await refuses(work(), at(start - EPOCH_LEAD_MS - 1), 'FutureTicketError')
  })
})

describe('a proof of work', () => {
  it('[A6] is bound to identity, network and beacon', async () => {
    expect((await judge(work(), context(open))).means).toBe('work')
    await refuses(work(), context(open, { root: bob }), 'InsufficientWorkError')
    const other = await drawBeacon({ difficultyBits: 17 })
    await refuses(work(), context(open, { beacon: other.statement }), 'TicketParametersError')
    const challenge = (change: Partial<Parameters<typeof workChallenge>[0]>) =>
      workChallenge({ networkId: open.networkId, root: alice, beacon, ...change }).join()
    const challenges = [
      challenge({}),
      challenge({ root: bob }),
      challenge({ networkId: room.networkId }),
      challenge({ beacon: { ...beacon, epoch: EPOCH + 1 } }),
      challenge({ beacon: { ...beacon, random: new Uint8Array(32) } }),
    ]
    expect(new Set(challenges).size).toBe(challenges.length)
  })

  it('[A6] needs every bit', async () => {
    await refuses(work({ nonce: nonceBytes(15n) }), context(open), 'InsufficientWorkError')
    expect((await judge(work({ nonce: nonceBytes(17n) }), context(open))).means).toBe('work')
  })

  it('[A7] with other parameters than the policy’s is refused before anything is hashed or spent', async () => {
    hashed = 0
    const spend = () => {
      throw new Error('spent')
    }
    for (const change of [
      { memoryKibibytes: 1_048_576 },
      { memoryKibibytes: open.policy.work.memoryKibibytes - 1 },
      { passes: 2 },
      { passes: 1_000_000 },
      { difficultyBits: 15 },
      { difficultyBits: 17 },
    ]) {
      await refuses(work(change), context(open, { spend }), 'TicketParametersError')
    }
    expect(hashed).toBe(0)
  })

  it('[A4] needs the founder’s beacon of its epoch', async () => {
    await refuses(work(), context(open, { beacon: null }), 'WrongBeaconError')
    for (const change of [
      { epoch: EPOCH - 1 },
      { founder: testSigner(9) },
      { networkId: room.networkId },
      { difficultyBits: 15 },
    ]) {
      await refuses(work(), context(open, { beacon: (await drawBeacon(change)).statement }), 'WrongBeaconError')
    }
    const forged = (beacon.statement as Uint8Array).slice()
    forged[forged.length - 5] = (forged.at(-5) ?? 0) ^ 1
    await expect(readBeacon(forged, open, testVerifier)).rejects.toThrow()
  })

  it('[A4] of a network with a derived beacon needs none', async () => {
    const derived = await found({ ...open.policy, beacon: 'derived' })
    const of = derivedBeacon(derived, EPOCH)
    const argon2id = fakeArgon2id(workChallenge({ networkId: derived.networkId, root: alice, beacon: of }))
    expect((await judge(work(), context(derived, { beacon: null, argon2id }))).means).toBe('work')
    expect(derivedBeacon(derived, EPOCH + 1).random).not.toEqual(of.random)
  })

  it('counts leading zero bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 256 }), (bits) => {
        const tag = new Uint8Array(32)
        if (bits < 256) tag[bits >> 3] = 0x80 >> (bits & 7)
        expect(leadingZeroBits(tag)).toBe(bits)
      }),
    )
  })
})

describe('an invitation', () => {
  const invite = (root: RootId, change: { epoch?: number; networkId?: string; signer?: Signer } = {}) =>
    makeInviteTicket(
      { networkId: change.networkId ?? room.networkId, root, epoch: change.epoch ?? EPOCH },
      change.signer ?? capability,
    )

  it('[A10] to a room is its capability’s word for one identity, network and epoch', async () => {
    expect((await judge(await invite(alice), context(room))).means).toBe('invite')
    await refuses(await invite(alice), context(room, { root: bob }), 'BadInvitationError')
    await refuses(await invite(alice, { networkId: open.networkId }), context(room), 'BadInvitationError')
    await refuses(await invite(alice, { signer: testSigner(9) }), context(room), 'BadInvitationError')
    await refuses({ ...(await invite(alice, { epoch: EPOCH - 1 })), epoch: EPOCH }, context(room), 'BadInvitationError')
  })

  it('[A10] to members is the founder’s, for one identity and a time', async () => {
    const sign = (change: Partial<{ root: RootId; expiresAtMs: number; founder: Signer; networkId: string }>) =>
      signInvitation(
        { root: change.root ?? bob, expiresAtMs: change.expiresAtMs ?? NOW + 1_000 },
        { networkId: change.networkId ?? members.networkId, founder: change.founder ?? founder, nowMs: NOW, nonce },
      )
    const show = async (invitation: Uint8Array | null, change: Partial<TicketContext> = {}) =>
      judge({ kind: 'member', invitation }, context(members, { root: bob, ...change }))
    expect(await show(await sign({}))).toEqual({ means: 'member', expiresAtMs: NOW + 1_000 })
    expect((await show(null, { root: alice })).expiresAtMs).toBe(null)
    await expect(show(null)).rejects.toMatchObject({ name: 'NotAMemberError' })
    await expect(show(await sign({}), { nowMs: NOW + 1_000 })).rejects.toMatchObject({ name: 'BadInvitationError' })
    for (const change of [{ root: alice }, { founder: testSigner(9) }, { networkId: room.networkId }]) {
      const invitation = await sign(change)
      // Alice is listed; what is shown for her is not looked at.
      await expect(show(invitation)).rejects.toMatchObject({ name: 'BadInvitationError' })
    }
    const long = await show(await sign({ expiresAtMs: NOW + 10 * INVITATION_MS_MAX }))
    expect(long.expiresAtMs).toBe(NOW + INVITATION_MS_MAX)
  })

  it('[A3] the founder needs none, and nobody else passes for it', async () => {
    for (const network of [room, open, members]) {
      expect((await judge({ kind: 'founder' }, context(network, { root: rootOf(founder) }))).means).toBe('founder')
      await refuses({ kind: 'founder' }, context(network), 'NotAMemberError')
    }
  })
})

describe('[A9] the budget', () => {
  it('does not look at a peer that showed too many bad tickets in a minute', () => {
    const peer = testSigner(5).author
    const budget = new TicketBudget(0)
    for (let i = 0; i < TICKET_FAILURES_PER_MINUTE_MAX - 1; i++) budget.failed(peer, 1_000)
    expect(() => budget.checkPeer(peer, 1_000)).not.toThrow()
    budget.failed(peer, 1_000)
    expect(() => budget.checkPeer(peer, 60_999)).toThrow(expect.objectContaining({ name: 'AdmissionBusyError' }))
    expect(() => budget.checkPeer(testSigner(6).author, 1_000)).not.toThrow()
    expect(() => budget.checkPeer(peer, 61_000)).not.toThrow()
  })

  it('bounds the proofs of all', () => {
    const budget = new TicketBudget(0)
    for (let i = 0; i < PROOFS_BURST_MAX; i++) budget.spendProof(0)
    expect(() => budget.spendProof(0)).toThrow(expect.objectContaining({ name: 'AdmissionBusyError' }))
    budget.spendProof(20)
    expect(() => budget.spendProof(20)).toThrow()
  })
})
