import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TIMESTAMP_WINDOW_MS } from '../core/identity/limits.ts'
import { sealStatement } from '../core/identity/statement.ts'
import { readGossipedOffer, signGossipedOffer } from '../core/tasks/gossiped-offer.ts'
import type { SecurityReport } from '../core/trust/security-event.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import type { Store } from '../storage/store.ts'
import { testSigner, testVerifier } from '../testing/signers.ts'
import { StatementGate } from './statement-gate.ts'

const NOW_MS = 1_800_000_000_000
const OFFER = { type: 'offer', offers: [] } as const

async function gateOf(options: { store?: Store; author?: number } = {}) {
  const events: SecurityReport[] = []
  const clock = { nowMs: NOW_MS, correctionMs: 0 }
  let nonces = 0
  const gate = await StatementGate.open({
    network: 'here',
    verifier: testVerifier,
    store: options.store ?? new MemoryStore(),
    now: () => clock.nowMs,
    clockCorrectionMs: () => clock.correctionMs,
    random: (bytes) => {
      const nonce = new Uint8Array(bytes)
      new DataView(nonce.buffer).setUint32(0, ++nonces)
      return nonce
    },
    onSecurityEvent: (report) => events.push(report),
  })
  return { gate, events, clock }
}

async function offerOf(gate: StatementGate, author = 1): Promise<Uint8Array> {
  return await signGossipedOffer(OFFER, { ...(await gate.stamp()), signer: testSigner(author) })
}

const admit = (gate: StatementGate, bytes: Uint8Array) => gate.admit(readGossipedOffer(bytes).decoded)

describe('the gate of statements', () => {
  it('[S4] lets a statement in once, however often and over whatever restart it comes', async () => {
    const store = new MemoryStore()
    const sender = await gateOf()
    const { gate } = await gateOf({ store })
    const bytes = await offerOf(sender.gate)
    await admit(gate, bytes)
    await expect(admit(gate, bytes)).rejects.toMatchObject({ name: 'ReplayedStatementError' })
    const again = await gateOf({ store })
    await expect(admit(again.gate, bytes)).rejects.toMatchObject({ name: 'ReplayedStatementError' })
    await admit(again.gate, await offerOf(sender.gate))
  })

  it('[S4] lets one of two copies in that come at once', async () => {
    const sender = await gateOf()
    const { gate } = await gateOf()
    const bytes = await offerOf(sender.gate)
    const outcomes = await Promise.allSettled([admit(gate, bytes), admit(gate, bytes), admit(gate, bytes)])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('[S4] does not let in what it could not write down', async () => {
    const store = new MemoryStore()
    const sender = await gateOf()
    const bytes = await offerOf(sender.gate)
    const failing = new Proxy(store, {
      get: (target, name) =>
        name === 'write' ? () => Promise.reject(new Error('disk full')) : Reflect.get(target, name).bind(target),
    })
    const { gate } = await gateOf({ store: failing })
    await expect(admit(gate, bytes)).rejects.toThrow('disk full')
  })

  it('[S2] [S3] [S5] [S8] refuses by name, counts by reason and reports with the evidence', async () => {
    const sender = await gateOf()
    const first = await offerOf(sender.gate)
    const second = await offerOf(sender.gate)
    const stamp = await sender.gate.stamp()
    const signer = testSigner(1)
    const cases: readonly (readonly [reason: string, type: string, bytes: Uint8Array])[] = [
      ['replayed', 'statement-replayed', first],
      ['network', 'statement-foreign', await signGossipedOffer(OFFER, { ...stamp, network: 'there', signer })],
      [
        'stale',
        'statement-stale',
        await signGossipedOffer(OFFER, { ...stamp, timestampMs: NOW_MS - TIMESTAMP_WINDOW_MS - 1, signer }),
      ],
      ['signature', 'statement-forged', await forged(await offerOf(sender.gate))],
    ]
    for (const [reason, type, bytes] of cases) {
      const { gate, events } = await gateOf()
      await admit(gate, second)
      await admit(gate, bytes).then(
        () => expect.fail(`${reason} was let in`),
        (error: unknown) => gate.refuse(error, { from: testSigner(9).author, kind: 'offer', evidence: bytes }),
      )
      expect(events).toMatchObject([{ type, peerId: testSigner(9).author, evidence: [bytes] }])
      expect(gate.samples()).toContainEqual(
        expect.objectContaining({
          name: 'starling_statements_refused_total',
          value: 1,
          labels: { reason, kind: 'offer' },
        }),
      )
    }
  })

  it('[S9] makes and compares timestamps by the corrected clock', async () => {
    const slow = await gateOf()
    slow.clock.nowMs = NOW_MS - 5 * 60_000
    const { gate } = await gateOf()
    await expect(admit(gate, await offerOf(slow.gate))).rejects.toMatchObject({ name: 'StaleStatementError' })
    slow.clock.correctionMs = 5 * 60_000
    await admit(gate, await offerOf(slow.gate))
    await admit(slow.gate, await offerOf(gate, 2))
  })

  it('[S5] its own numbers rise over restarts and corrections, and are durable before they are used', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ restart: fc.boolean(), correctionMs: fc.integer({ min: -600_000, max: 600_000 }) })),
        async (steps) => {
          const store = new MemoryStore()
          let own = await gateOf({ store })
          let last = 0
          for (const { restart, correctionMs } of steps) {
            if (restart) own = await gateOf({ store })
            own.clock.correctionMs = correctionMs
            const { seq } = await own.gate.stamp()
            expect(seq).toBeGreaterThan(last)
            last = seq
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  it('[S4] forgets what has expired, on disk too', async () => {
    const store = new MemoryStore()
    const { gate, clock } = await gateOf({ store })
    const sender = await gateOf()
    await admit(gate, await offerOf(sender.gate))
    clock.nowMs += TIMESTAMP_WINDOW_MS + 1
    sender.clock.nowMs = clock.nowMs
    await admit(gate, await offerOf(sender.gate))
    let records = 0
    for await (const _ of store.list('replay', '')) records++
    expect(records).toBe(1)
  })

  it('[C5] goes on over damaged records, and drops them', async () => {
    const store = new MemoryStore()
    const garbage = Uint8Array.of(0xff, 1, 2)
    await store.write([
      { bucket: 'replay', key: 'x', value: garbage },
      { bucket: 'replay-state', key: 'floor', value: garbage },
      { bucket: 'replay-state', key: 'sequence', value: garbage },
    ])
    const { gate } = await gateOf({ store })
    await admit(gate, await offerOf((await gateOf()).gate))
    expect(await store.get('replay', 'x')).toBeUndefined()
  })
})

/** A signature by another key under the author's name. */
async function forged(offer: Uint8Array): Promise<Uint8Array> {
  const { decoded } = readGossipedOffer(offer)
  const { statement, payload } = decoded
  return sealStatement({ statement, payload }, await testSigner(7).sign(payload)).bytes
}
