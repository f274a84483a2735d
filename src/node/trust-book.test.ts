import { afterEach, describe, expect, it, vi } from 'vitest'
import { encode } from '../core/codec/cbor.ts'
import type { PeerId, RootId } from '../core/codec/ids.ts'
import type { Signer } from '../core/identity/ports.ts'
import type { TrustPolicy } from '../core/tasks/executor-trust.ts'
import { recordOps } from '../core/tasks/record-codec.ts'
import type { OutcomeKey } from '../core/tasks/requester-events.ts'
import { BLACKLIST_MS, LIAR_MS, TASKS_MIN } from '../core/trust/limits.ts'
import type { Network } from '../net/network.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { testSigner, testVerifier } from '../testing/signers.ts'
import { outcomeOf } from '../testing/sim/truth.ts'
import { NOW_MS, type TestJob } from '../testing/task-fixtures.ts'
import {
  attestationBy,
  conflictBy,
  receiptBy,
  rootOfDevice,
  signedJob,
  TRUST_NETWORK,
} from '../testing/trust-fixtures.ts'
import { ConflictDesk } from './conflict-desk.ts'
import { Log } from './log.ts'
import type { NodePorts } from './ports.ts'
import { SecurityLog } from './security-log.ts'
import { TrustBook } from './trust-book.ts'
import { ATTESTATIONS_PROTOCOL } from './trust-exchange.ts'
import { TrustStore } from './trust-store.ts'
import type { UnitToRun } from './unit-runner.ts'
import { WordGiver } from './word-giver.ts'

const [A, B, C, D] = [testSigner(1), testSigner(2), testSigner(3), testSigner(4)] as const

/** Everybody in one room: messages arrive in a turn of their own. */
class Room {
  readonly handlers = new Map<string, (from: string, message: Uint8Array) => void>()
  readonly disconnected: string[] = []

  network(self: PeerId): Network {
    const partial: Partial<Network> = {
      connections: () =>
        [...this.handlers.keys()]
          .filter((peer) => peer !== self)
          .map((peer) => ({ peer, relay: false, remoteAddress: '/ip4/192.0.2.1/udp/1' }) as never),
      send: (peer, protocol, message) => {
        expect(protocol).toBe(ATTESTATIONS_PROTOCOL)
        queueMicrotask(() => this.handlers.get(peer)?.(self, message))
      },
      handle: (_, handler) => {
        this.handlers.set(self, handler)
        return () => this.handlers.delete(self)
      },
      on: () => () => undefined,
      disconnect: (peer) => void this.disconnected.push(peer),
      keepOut: () => undefined,
    }
    // The book asks no more of a network than this.
    return partial as Network
  }
}

interface Desk {
  readonly room: Room
  readonly book: TrustBook
  readonly log: SecurityLog
  readonly store: Store
  readonly clock: { nowMs: number }
  readonly policies: TrustPolicy[]
  readonly receive: (from: PeerId, message: unknown) => void
  recomputed: number
}

const open: Desk[] = []

async function openBook(
  signer: Signer,
  room: Room,
  init: {
    readonly store?: Store
    readonly manifest?: Uint8Array
    readonly lends?: boolean
    readonly guests?: readonly PeerId[]
    readonly rootOf?: (peer: PeerId) => RootId | null
  } = {},
): Promise<Desk> {
  const store = init.store ?? new MemoryStore()
  const clock = { nowMs: NOW_MS }
  const now = () => clock.nowMs
  const log = await SecurityLog.open({ store, now })
  const ports = {
    self: signer.author,
    networkId: TRUST_NETWORK,
    signer,
    verifier: testVerifier,
    store,
    log: new Log(),
    now,
    random: (bytes: number) => new Uint8Array(bytes),
    // What the book and its parts use; the rest of a node is not here.
  } as unknown as NodePorts
  const signedManifest = async () => init.manifest
  const receive = (from: PeerId, message: unknown) => room.handlers.get(signer.author)?.(from, encode(message))
  const desk: Omit<Desk, 'book'> = { room, log, store, clock, policies: [], receive, recomputed: 0 }
  const recompute = async ({ job, unit }: UnitToRun): Promise<OutcomeKey> => {
    desk.recomputed++
    return outcomeOf(job, unit)
  }
  const book = await TrustBook.open({
    ports,
    network: room.network(signer.author),
    log,
    self: rootOfDevice(signer.author),
    preTrusted: [],
    store: new TrustStore({ store, now, onProblem: (message) => expect.unreachable(message) }),
    desk: new ConflictDesk(ports, { signedManifest, inlineInput: async () => null }, recompute),
    words: new WordGiver(ports, signedManifest),
    rootOf: init.rootOf ?? ((peer) => (init.guests?.includes(peer) ? null : rootOfDevice(peer))),
    subnetOf: () => null,
    categoryOf: () => 'test',
    mayRecompute: () => init.lends ?? true,
    onPolicy: (policy) => desk.policies.push(policy),
  })
  book.start()
  const whole = Object.assign(desk, { book })
  open.push(whole)
  return whole
}

afterEach(async () => {
  for (const { book, log } of open.splice(0)) {
    await book.stop()
    await log.flush()
  }
})

function accepted(desk: Desk, of: TestJob, unit: number, executors: readonly Signer[]): void {
  const { outputHash, exitCode, trap, gas } = outcomeOf(of.job, unit)
  const peers = executors.map(({ author }) => author)
  desk.book.apply({
    type: 'unitAccepted',
    job: of.job,
    accepted: {
      ...{ unit, outputHash, exitCode, trap, gas, durationUs: 30_000_000, costMicroUnits: 30_000n },
      executors: peers,
      audited: false,
    },
  })
}

/** Puts the evidence where the scheduler does, and tells as it does. */
async function caught(desk: Desk, of: TestJob, by: { readonly liar: Signer; readonly witness: Signer }): Promise<void> {
  const pair = [await receiptBy(by.liar, of, 0, 'a lie'), await receiptBy(by.witness, of, 0)] as const
  await desk.store.write([recordOps.evidence(of.job, by.liar.author, pair)])
  desk.book.apply({ type: 'excluded', job: of.job, peer: by.liar.author, reason: 'wrong-result' })
}

const types = ({ log }: Desk) => log.list().map(({ type }) => type)

describe('TrustBook', () => {
  it('[T24] learns from accepted units, and comes back after a restart with the same opinion', async () => {
    const { of } = await signedJob(A)
    const desk = await openBook(A, new Room())
    for (let unit = 0; unit < TASKS_MIN; unit++) accepted(desk, of, unit, [B])
    const [entry] = await desk.book.trustEntries()
    expect(entry).toMatchObject({ rootId: B.author, tasks: { good: TASKS_MIN, bad: 0 }, standing: TASKS_MIN })
    expect(entry?.score).toBeGreaterThan(0.7)
    await desk.book.stop()
    const again = await openBook(A, new Room(), { store: desk.store })
    expect(await again.book.trustEntries()).toEqual([entry])
    expect((await again.book.trustHistory(B.author))?.points.length).toBeGreaterThan(0)
  })

  it('[T10] bars whom its own recomputation proved a liar, with the evidence, and tells scheduler and network', async () => {
    const room = new Room()
    const { of, manifest } = await signedJob(A)
    const desk = await openBook(A, room, { manifest })
    room.handlers.set(B.author, () => undefined)
    await caught(desk, of, { liar: B, witness: A })
    await vi.waitFor(() => expect(desk.policies.at(-1)?.views[0]).toMatchObject({ peer: B.author, barred: true }))
    expect(desk.book.isBarred(B.author)).toBe(true)
    expect(room.disconnected).toContain(B.author)
    expect(await desk.book.blacklist()).toMatchObject([{ by: 'evidence', until: NOW_MS + LIAR_MS }])
    expect(types(desk)).toEqual(expect.arrayContaining(['result-conflict', 'peer-blacklisted']))
    const [conflict] = desk.log.list({ types: ['result-conflict'] })
    expect(conflict?.evidence).toHaveLength(2)
    expect((await desk.book.trustHistory(B.author))?.evidence).toHaveLength(1)
  })

  it('[T23] is shown a conflict, runs the unit itself, and bars the liar too', async () => {
    const room = new Room()
    const { of, manifest } = await signedJob(A)
    const desk = await openBook(A, room, { manifest })
    const other = await openBook(C, room)
    other.book.identified(B.author, rootOfDevice(B.author))
    await caught(desk, of, { liar: B, witness: A })
    await vi.waitFor(() => expect(other.book.isBarred(B.author)).toBe(true))
    expect(other.recomputed).toBe(1)
    expect(types(other)).toEqual(expect.arrayContaining(['evidence-received', 'peer-blacklisted']))
    expect(other.book.isBarred(A.author)).toBe(false)
  })

  it('[T23] finds a slanderer out: the accused stays, the false witness goes', async () => {
    const desk = await openBook(C, new Room())
    desk.book.identified(B.author, rootOfDevice(B.author))
    const slander = await conflictBy(A, { accused: B, witness: A, accusedLies: false })
    desk.receive(A.author, { type: 'conflict', conflict: slander.bytes })
    await vi.waitFor(() => expect(desk.book.isBarred(A.author)).toBe(true))
    expect(desk.book.isBarred(B.author)).toBe(false)
    expect(types(desk)).toContain('peer-slandered')
  })

  it('[T22] runs nothing of others while its owner does not lend, and believes equivocation all the same', async () => {
    const desk = await openBook(C, new Room(), { lends: false })
    for (const { author } of [B, D]) desk.book.identified(author, rootOfDevice(author))
    const shown = await conflictBy(A, { accused: B, witness: A, accusedLies: true })
    const twice = await conflictBy(A, { accused: D, witness: D, accusedLies: true })
    desk.receive(A.author, { type: 'conflict', conflict: shown.bytes })
    desk.receive(A.author, { type: 'conflict', conflict: twice.bytes })
    await vi.waitFor(() => expect(desk.book.isBarred(D.author)).toBe(true))
    expect(desk.book.isBarred(B.author)).toBe(false)
    expect(desk.recomputed).toBe(0)
  })

  it('[T14] keeps attestations that hold, over a restart, and refuses the others by name', async () => {
    const desk = await openBook(C, new Room())
    desk.book.identified(B.author, rootOfDevice(B.author))
    const [good, ofItself] = [await attestationBy(A, B), await attestationBy(B, B)]
    desk.receive(A.author, { type: 'attestations', attestations: [good, ofItself, good] })
    await vi.waitFor(() => expect(types(desk)).toContain('attestation-refused'))
    const before = await desk.book.trustHistory(B.author)
    expect(before?.attestations).toMatchObject([{ by: A.author, tasks: 20 }])
    await desk.book.stop()
    const again = await openBook(C, new Room(), { store: desk.store })
    expect((await again.book.trustHistory(B.author))?.attestations).toEqual(before?.attestations)
  })

  it('[T14] drops what is no message and what is too much of it', async () => {
    const desk = await openBook(C, new Room())
    desk.receive(A.author, { type: 'attestations', attestations: [] })
    desk.receive(A.author, { type: 'nonsense' })
    expect(types(desk)).toEqual(['message-malformed', 'message-malformed'])
    for (let index = 0; index < 70; index++) {
      desk.receive(A.author, { type: 'attestations', attestations: [Uint8Array.of(index)] })
    }
    await vi.waitFor(() => expect(types(desk)).toContain('rate-exceeded'))
  })

  it('[T13] bars and lifts by hand, for a time or for good', async () => {
    const desk = await openBook(A, new Room())
    await desk.book.blacklistPeer(B.author, { durationMs: BLACKLIST_MS, reason: 'too slow' })
    expect(await desk.book.blacklist()).toMatchObject([
      { by: 'owner', reason: 'too slow', until: NOW_MS + BLACKLIST_MS },
    ])
    desk.clock.nowMs = NOW_MS + BLACKLIST_MS - 1
    expect(desk.book.isBarred(B.author)).toBe(true)
    desk.clock.nowMs = NOW_MS + BLACKLIST_MS
    expect(desk.book.isBarred(B.author)).toBe(false)
    await desk.book.blacklistPeer(B.author, { durationMs: null, reason: 'again' })
    const again = await openBook(A, new Room(), { store: desk.store })
    expect(again.book.isBarred(B.author)).toBe(true)
    await again.book.unblacklistPeer(B.author)
    expect(again.book.isBarred(B.author)).toBe(false)
    await expect(desk.book.blacklistPeer('somebody', { durationMs: null, reason: '' })).rejects.toThrow('rootId')
  })

  it('[T24] shows conflicts to whoever connects also after a restart', async () => {
    const { of, manifest } = await signedJob(A)
    const desk = await openBook(A, new Room(), { manifest })
    await caught(desk, of, { liar: B, witness: C })
    await vi.waitFor(() => expect(types(desk)).toContain('result-conflict'))
    await vi.waitFor(async () => {
      await desk.book.stop()
      const again = await openBook(A, new Room(), { store: desk.store })
      const heard: unknown[] = []
      again.room.handlers.set(D.author, (_, message) => void heard.push(message))
      again.book.identified(D.author, rootOfDevice(D.author))
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(heard).toHaveLength(1)
    })
  })

  it('[T7] lets no more devices of one identity in than its tier allows, where there are quotas', async () => {
    const room = new Room()
    const root = rootOfDevice(B.author)
    const devices = Array.from({ length: 7 }, (_, index) => testSigner(50 + index).author)
    const desk = await openBook(A, room, { rootOf: (peer) => (devices.includes(peer) ? root : null) })
    const links = (count: number): void => {
      for (const device of devices.slice(0, count)) room.handlers.set(device, () => undefined)
    }
    links(6)
    desk.book.identified(devices[5] ?? B.author, root)
    expect(room.disconnected).toEqual([])
    desk.book.enforce({ quotas: true, parameters: {} })
    room.handlers.clear()
    links(5)
    desk.book.identified(devices[4] ?? B.author, root)
    expect(room.disconnected).toEqual([])
    links(6)
    desk.book.identified(devices[5] ?? B.author, root)
    expect(room.disconnected).toEqual([devices[5]])
    expect(types(desk)).toContain('connection-refused')
    desk.book.enforce({ quotas: true, parameters: { newcomerConnectionsMax: 6 } })
    desk.book.identified(devices[5] ?? B.author, root)
    expect(room.disconnected).toEqual([devices[5]])
    links(7)
    desk.book.identified(devices[6] ?? B.author, root)
    expect(room.disconnected).toEqual([devices[5], devices[6]])
  })

  const replays = (desk: Desk, peer: PeerId, count: number): void => {
    for (let index = 0; index < count; index++) {
      const evidence = [Uint8Array.of(index)]
      desk.log.add({ type: 'statement-replayed', peerId: peer, message: 'x', evidence, misconduct: 'replayed' })
    }
  }

  it('[T26] bars for a day whoever keeps doing what no honest peer does, and says why', async () => {
    const room = new Room()
    const desk = await openBook(A, room)
    // Refusals that may happen to anyone count for nothing.
    for (let index = 0; index < 100; index++) desk.log.add({ type: 'statement-stale', peerId: B.author, message: 'x' })
    replays(desk, B.author, 16)
    expect(desk.book.isBarred(B.author)).toBe(false)
    replays(desk, B.author, 1)
    expect(desk.book.isBarred(B.author)).toBe(true)
    expect(room.disconnected).toEqual([B.author])
    const until = NOW_MS + BLACKLIST_MS
    expect(await desk.book.blacklist()).toMatchObject([{ rootId: rootOfDevice(B.author), by: 'evidence', until }])
    const [why] = desk.log.list({ types: ['peer-misconduct'] })
    expect(why).toMatchObject({ severity: 'serious', peerId: B.author, rootId: rootOfDevice(B.author) })
    expect(why?.message).toBe('Sent what no honest peer sends: 17 of others told again')
    expect(why?.evidence).toEqual([13, 14, 15, 0].map((piece) => Uint8Array.of(piece)))
    expect(types(desk)).toContain('peer-blacklisted')
    const again = await openBook(A, new Room(), { store: desk.store })
    expect(again.book.isBarred(B.author)).toBe(true)
    desk.clock.nowMs = until - 1
    expect(desk.book.isBarred(B.author)).toBe(true)
    // The way back: it begins anew, with an empty bucket.
    desk.clock.nowMs = until
    expect(desk.book.isBarred(B.author)).toBe(false)
    replays(desk, B.author, 16)
    expect(desk.book.isBarred(B.author)).toBe(false)
  })

  it('[T26] never bars itself, and keeps a guest out by its key', async () => {
    const room = new Room()
    const guest = testSigner(77).author
    const desk = await openBook(A, room, { guests: [guest] })
    replays(desk, A.author, 40)
    expect(desk.book.isBarred(A.author)).toBe(false)
    replays(desk, guest, 17)
    expect(desk.book.isBarred(guest)).toBe(true)
    expect(room.disconnected).toEqual([guest])
    expect(await desk.book.blacklist()).toEqual([])
    desk.clock.nowMs += BLACKLIST_MS
    expect(desk.book.isBarred(guest)).toBe(false)
  })

  it('counts for the metrics with a bound on its labels', async () => {
    const { of } = await signedJob(A)
    const desk = await openBook(A, new Room())
    for (let unit = 0; unit < TASKS_MIN; unit++) accepted(desk, of, unit, [B])
    desk.book.apply({ type: 'leaseEnded', job: of.job, unit: 1, peer: B.author, reason: 'deadline' })
    for (let index = 10; index < 90; index++) accepted(desk, of, index, [testSigner(index)])
    const samples = desk.book.samples()
    const value = (name: string, labels: Record<string, string>) =>
      samples.find((each) => each.name === name && JSON.stringify(each.labels ?? {}) === JSON.stringify(labels))?.value
    expect(value('reputation_tasks_executed_total', { peer_id: B.author, success: 'true' })).toBe(TASKS_MIN)
    expect(value('reputation_tasks_executed_total', { peer_id: B.author, success: 'false' })).toBe(1)
    expect(value('reputation_tasks_executed_total', { peer_id: 'other', success: 'true' })).toBe(17)
    expect(value('reputation_score', { peer_id: B.author })).toBeGreaterThan(0.5)
    expect(value('reputation_blacklisted_peers', {})).toBe(0)
    const labels = new Set(samples.flatMap(({ labels: each }) => each?.['peer_id'] ?? []))
    expect(labels.size).toBeLessThanOrEqual(65)
  })
})
