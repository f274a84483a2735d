import { beforeAll, describe, expect, it } from 'vitest'
import { encodeCredentials, type ShownCredentials, type Verdict } from '../core/admission/credentials.ts'
import { KnownIdentities } from '../core/admission/known-identities.ts'
import { CREDENTIALS_WAIT_MS, EPOCH_MS, TICKET_FAILURES_PER_MINUTE_MAX } from '../core/admission/limits.ts'
import { defaultPolicy, type FoundedNetwork, foundNetwork } from '../core/admission/policy.ts'
import { encodeTicket, makeInviteTicket } from '../core/admission/ticket.ts'
import type { PeerId, RootId } from '../core/codec/ids.ts'
import { signCertificate } from '../core/identity/certificate.ts'
import { encodeLineage, newLineage } from '../core/identity/lineage.ts'
import type { Signer } from '../core/identity/ports.ts'
import { testSigner, testVerifier } from '../testing/signers.ts'
import { CredentialsDesk } from './credentials.ts'

const NOW = 500 * EPOCH_MS + 1_000
const capability = testSigner(40)
const nonce = new Uint8Array(16).fill(1)
let room: FoundedNetwork

beforeAll(async () => {
  const init = { founder: testSigner(41), nowMs: NOW, nonce }
  room = await foundNetwork(defaultPolicy('room', 'a room', capability.author), init)
})

/** A desk of a device whose messages go to whoever is plugged in. */
class Side {
  readonly device: PeerId
  readonly desk: CredentialsDesk
  readonly told: string[] = []
  readonly verdicts: Verdict[] = []
  readonly refused: string[] = []
  other: Side | null = null
  lost = 0
  now = NOW
  own: Omit<ShownCredentials, 'type' | 'answer'> = { lineage: null, certificate: null, ticket: null, beacon: null }
  rootOfCalls = 0

  constructor(device: Signer) {
    this.device = device.author
    const identities = new KnownIdentities({ network: room, verifier: testVerifier })
    this.desk = new CredentialsDesk({
      network: room,
      verifier: testVerifier,
      argon2id: async () => () => new Uint8Array(32),
      now: () => this.now,
      send: (_peer, message) => {
        if (this.lost > 0) this.lost--
        else queueMicrotask(() => this.other?.desk.receive(this.device, message))
      },
      isConnected: () => this.other !== null,
      own: () => this.own,
      rootOf: (peer, shown) => {
        this.rootOfCalls++
        return identities.rootOf(peer, shown, this.now)
      },
      onLevel: ({ level }) => this.told.push(level?.level ?? 'gone'),
      onVerdict: (_peer, verdict) => this.verdicts.push(verdict),
      onRefused: (_peer, { name }) => this.refused.push(name),
    })
  }

  /** Shows an identity, and a ticket for `ticketFor`. */
  async show(root: Signer, device: PeerId, ticketFor: RootId | null): Promise<void> {
    const rootId = root.author as string as RootId
    const terms = { root: rootId, device, name: 'x', issuedAtMs: NOW, expiresAtMs: NOW + 60_000 }
    const certificate = await signCertificate(terms, { network: room.networkId, seq: 1, nonce }, root)
    const { networkId } = room
    const ticket =
      ticketFor === null
        ? null
        : encodeTicket(await makeInviteTicket({ networkId, root: ticketFor, epoch: 500 }, capability))
    this.own = { lineage: encodeLineage(newLineage(rootId)), certificate: certificate.bytes, ticket, beacon: null }
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 60))

async function pair(): Promise<{ readonly a: Side; readonly b: Side; readonly rootA: RootId }> {
  const [deviceA, deviceB, rootA, rootB] = [1, 2, 3, 4].map(testSigner) as [Signer, Signer, Signer, Signer]
  const a = new Side(deviceA)
  const b = new Side(deviceB)
  a.other = b
  b.other = a
  await a.show(rootA, a.device, rootA.author as string as RootId)
  await b.show(rootB, b.device, rootB.author as string as RootId)
  return { a, b, rootA: rootA.author as string as RootId }
}

describe('[A11] two peers that meet', () => {
  it('know each other by root and let each other in', async () => {
    const { a, b, rootA } = await pair()
    a.desk.connected(b.device)
    b.desk.connected(a.device)
    await b.desk.settled(a.device)
    await settle()
    expect(b.desk.admitted(a.device)).toBe(rootA)
    expect(a.desk.admitted(b.device)).not.toBe(null)
    expect(a.verdicts.at(-1)).toMatchObject({ level: 'admitted', error: null })
  })

  it('also when only one of them noticed, as after the other’s restart', async () => {
    const { a, b, rootA } = await pair()
    a.desk.connected(b.device)
    await settle()
    expect(b.desk.admitted(a.device)).toBe(rootA)
    expect(a.desk.admitted(b.device)).not.toBe(null)
  })

  it('also when what was shown first is lost', async () => {
    const { a, b, rootA } = await pair()
    a.lost = 1
    a.desk.connected(b.device)
    await settle()
    expect(b.desk.admitted(a.device)).toBe(null)
    a.now += 1_500
    a.desk.tick()
    await settle()
    expect(b.desk.admitted(a.device)).toBe(rootA)
  })

  it('verify the same credentials once, however often they are shown', async () => {
    const { a, b } = await pair()
    a.desk.connected(b.device)
    await settle()
    const before = b.rootOfCalls
    for (let i = 0; i < 5; i++) a.desk.show(b.device, false)
    await settle()
    expect(b.rootOfCalls).toBe(before)
  })

  it('hear of a ticket that is over, and of one that is new', async () => {
    const { a, b } = await pair()
    a.desk.connected(b.device)
    await settle()
    b.now = 502 * EPOCH_MS
    b.desk.tick()
    expect(b.desk.admitted(a.device)).toBe(null)
    expect(b.told.at(-1)).toBe('guest')
  })
})

describe('[A12] a peer is a guest', () => {
  it('that shows nothing in time', async () => {
    const { a, b } = await pair()
    a.other = null
    b.desk.connected(a.device)
    b.now += CREDENTIALS_WAIT_MS
    b.desk.tick()
    await b.desk.settled(a.device)
    expect(b.told).toEqual(['unknown', 'guest'])
  })

  it('that shows another device’s certificate, another identity’s ticket, or none, and is told why', async () => {
    const root = testSigner(3)
    const rootId = root.author as string as RootId
    const cases = [
      [testSigner(9).author, rootId, 'InvalidCertificateError'],
      [testSigner(1).author, testSigner(4).author as string as RootId, 'BadInvitationError'],
      [testSigner(1).author, null, null],
    ] as const
    for (const [device, ticketFor, error] of cases) {
      const { a, b } = await pair()
      await a.show(root, device, ticketFor)
      a.desk.connected(b.device)
      await settle()
      expect(b.desk.admitted(a.device)).toBe(null)
      expect(a.verdicts.at(-1)).toMatchObject({ level: 'guest', error })
      expect(b.refused).toEqual(error === null ? [] : expect.arrayContaining([error]))
    }
  })

  it('whose bad tickets are not looked at after a few', async () => {
    const { a, b } = await pair()
    const shown = { ...a.own }
    for (let i = 0; i <= TICKET_FAILURES_PER_MINUTE_MAX; i++) {
      const ticket = encodeTicket({ kind: 'invite', epoch: 500, signature: new Uint8Array(64).fill(i) })
      b.desk.receive(a.device, encodeCredentials({ type: 'credentials', answer: false, ...shown, ticket }))
    }
    await settle()
    expect(b.refused.at(-1)).toBe('AdmissionBusyError')
    expect(b.refused.filter((name) => name === 'BadInvitationError')).toHaveLength(TICKET_FAILURES_PER_MINUTE_MAX)
  })

  it('that sends noise, which is refused by name', async () => {
    const { a, b } = await pair()
    for (const noise of [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(200_000)]) {
      b.desk.receive(a.device, noise)
    }
    await settle()
    expect(b.refused).toEqual(['InvalidMessageError', 'InvalidMessageError', 'LimitExceededError'])
  })
})
