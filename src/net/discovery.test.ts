import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { CLOCK_OFFSET_MAX_MS, TIMESTAMP_WINDOW_MS } from '../core/identity/limits.ts'
import { signAnnouncement } from '../core/routing/announcement.ts'
import { testSigner, testVerifier } from '../testing/signers.ts'
import { Discovery, type Heard } from './discovery.ts'

const NOW_MS = 1_800_000_000_000

/** A discovery whose clock stands where it is told. */
function discovery(options: { isKnown?: boolean; key?: number } = {}) {
  const heard: Heard[] = []
  const time = { nowMs: NOW_MS, isKnown: options.isKnown ?? true }
  const secret = new Uint8Array(32).fill(options.key ?? 200)
  const own = new Discovery({
    network: 'here',
    identity: { publicKey: ed25519.getPublicKey(secret), sign: async (bytes) => ed25519.sign(bytes, secret) },
    now: () => NOW_MS,
    networkTime: () => time,
    verifier: testVerifier,
    entriesMax: 8,
    onHeard: (each) => heard.push(each),
  })
  return { own, heard, time }
}

async function announcement(options: { at?: number; network?: string; address?: string } = {}): Promise<Uint8Array> {
  const { bytes } = await signAnnouncement(
    { addresses: [options.address ?? '/ip4/127.0.0.1/tcp/1'], seeking: true },
    {
      network: options.network ?? 'here',
      timestampMs: options.at ?? NOW_MS,
      nonce: new Uint8Array(16),
      signer: testSigner(1),
    },
  )
  return bytes
}

describe('announcements', () => {
  it('[S3] are taken up to two minutes off, and none beyond', async () => {
    for (const sign of [1, -1]) {
      await discovery().own.accept(await announcement({ at: NOW_MS + sign * TIMESTAMP_WINDOW_MS }))
      await expect(
        discovery().own.accept(await announcement({ at: NOW_MS + sign * (TIMESTAMP_WINDOW_MS + 1) })),
      ).rejects.toMatchObject({ name: 'StaleStatementError' })
    }
  })

  it('[S9] are taken from further off by a peer that does not know the time yet, so that it can find out', async () => {
    const most = TIMESTAMP_WINDOW_MS + CLOCK_OFFSET_MAX_MS
    await discovery({ isKnown: false }).own.accept(await announcement({ at: NOW_MS - most }))
    await expect(
      discovery({ isKnown: false }).own.accept(await announcement({ at: NOW_MS - most - 1 })),
    ).rejects.toMatchObject({ name: 'StaleStatementError' })
  })

  it('[S8] of another network are refused by name', async () => {
    const { own, heard } = discovery()
    await expect(own.accept(await announcement({ network: 'there' }))).rejects.toMatchObject({
      name: 'ForeignStatementError',
    })
    expect(heard).toEqual([])
  })

  it('[S5] never give way to older ones, also after their author was forgotten', async () => {
    const { own, heard } = discovery()
    const older = await announcement({ at: NOW_MS - 1, address: '/ip4/127.0.0.1/tcp/1' })
    const newer = await announcement({ at: NOW_MS, address: '/ip4/127.0.0.1/tcp/2' })
    await own.accept(newer)
    await own.accept(newer)
    await own.accept(older)
    own.forget(heard[0]?.peer ?? '')
    await own.accept(older)
    expect(heard.map(({ addresses }) => addresses)).toEqual([['/ip4/127.0.0.1/tcp/2']])
    // The newest itself may come back: its author is still there, whoever lost its link.
    await own.accept(newer)
    expect(heard).toHaveLength(2)
  })

  it('[S9] rise in time even when the clock is corrected backwards', async () => {
    const { own, time } = discovery()
    const other = discovery({ key: 201 })
    await other.own.accept(await own.announce(['/ip4/127.0.0.1/tcp/1'], true))
    time.nowMs -= 60_000
    await other.own.accept(await own.announce(['/ip4/127.0.0.1/tcp/2'], true))
    expect(other.heard.map(({ addresses }) => addresses[0])).toEqual(['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2'])
  })
})
