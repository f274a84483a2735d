/**
 * Who may take part, in real tabs: a room's link, an open network's proof of work, tickets that are not what they should be, and the
 * relay's few places for guests.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import type { ShownCredentials } from '../src/core/admission/credentials.ts'
import { SUBNET_SHARE_PPM } from '../src/core/admission/limits.ts'
import { decodeTicket, encodeTicket, type WorkTicket } from '../src/core/admission/ticket.ts'
import type { RootId } from '../src/core/codec/ids.ts'
import { peerIdOf } from '../src/core/identity/peer-id.ts'
import { createNetwork } from '../src/net/create-network.ts'
import { createIdentity } from '../src/net/identity.ts'
import type { AdmissionInfo } from '../src/node/admission-contract.ts'
import { inviteLink } from '../src/node/capability.ts'
import { fetchRendezvous } from '../src/node/rendezvous.ts'
import { PlatformVerifier } from '../src/node/verifier.ts'
import { makeInvite } from '../src/relay/founding.ts'
import { loadDeviceKeyFile } from '../src/storage/device-key-file.node.ts'
import { collatzJob } from './support/collatz.ts'
import { RelayProcess } from './support/relay-process.ts'
import { Room } from './support/room.ts'
import { Stranger } from './support/stranger.ts'
import { until } from './support/until.ts'

const DIST = process.env.STARLING_DIST ?? fileURLToPath(new URL('../dist/', import.meta.url))
const NODE_START_TIMEOUT_MS = 60_000

/** An open network that a test's core finds a proof for in a second or so. */
const EASY = { work: { difficultyBitsMin: 8, difficultyBitsMax: 12, memoryKibibytes: 256 }, subnetLimits: false }
/** One whose proof no test will ever find. */
const ENDLESS = { work: { difficultyBitsMin: 32, difficultyBitsMax: 32, memoryKibibytes: 256 }, subnetLimits: false }

const INVITE_TICKET = encodeTicket({ kind: 'invite', epoch: 1, signature: new Uint8Array(64) })

let browser: Browser
const relays: RelayProcess[] = []
const contexts: BrowserContext[] = []

beforeAll(async () => {
  browser = await launchChromium(ensureChromium(() => undefined))
})
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close()
  for (const relay of relays.splice(0)) relay.kill()
})
afterAll(async () => {
  await browser?.close()
})

async function openRelay(env: Readonly<Record<string, string>> = {}): Promise<RelayProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'starling-admission-'))
  const relay = await RelayProcess.start({ DATA_DIR: dataDir, DIST_DIR: DIST, ...env })
  relays.push(relay)
  return relay
}

const openNetwork = (changes: object, env: Readonly<Record<string, string>> = {}): Promise<RelayProcess> =>
  openRelay({ POLICY: 'open', POLICY_CHANGES: JSON.stringify(changes), ...env })

async function openTab(url: string): Promise<Page> {
  const context = await browser.newContext({ serviceWorkers: 'block' })
  contexts.push(context)
  const page = await context.newPage()
  await page.goto(url)
  await nodeIsUp(page)
  return page
}

async function nodeIsUp(page: Page): Promise<void> {
  await page.waitForFunction(() => globalThis.starling !== undefined, undefined, { timeout: NODE_START_TIMEOUT_MS })
}

const admission = (page: Page): Promise<AdmissionInfo> => page.evaluate(() => globalThis.starling.admission())
const stateIs = (page: Page, state: AdmissionInfo['state'], timeoutMs = 60_000): Promise<void> =>
  until(`the state ${state}`, async () => (await admission(page)).state === state, timeoutMs)
const lend = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    await globalThis.starling.setLending({ optedIn: true, workers: 1, pauseOnBattery: false, pauseOnMetered: false })
  })
const directPeers = (page: Page): Promise<number> =>
  page.evaluate(async () => (await globalThis.starling.snapshot()).network.direct)

describe('a room', () => {
  it('lets in by its link at once, over a reload, and gives a tab without it no tasks', async () => {
    const room = await Room.open()
    try {
      const requester = await room.tab({ lend: false })
      const member = await room.tab()
      expect((await requester.snapshot()).admission).toMatchObject({ state: 'admitted', means: 'invite' })
      expect((await requester.snapshot()).inviteUrl).toBe(room.url)
      expect(new URL(requester.page.url()).hash).toBe('')

      const guest = await room.tab({ invite: false })
      expect(await admission(guest.page)).toMatchObject({ state: 'guest', reason: { code: 'no-invite' }, means: null })
      await guest.page.getByText('Here as a guest').first().waitFor()
      await until('the guest to be connected', async () => (await directPeers(guest.page)) >= 1)

      const ownOnly = { replicas: 1, quorum: 1, useOwnWorkers: false }
      const job = await requester.submit(collatzJob(24, 2_000, ownOnly))
      await until('the job', async () => (await requester.job(job))?.state === 'done')
      const executors = (await requester.job(job))?.executorStats.filter(({ delivered }) => delivered > 0)
      expect(executors?.map(({ peerId }) => peerId)).toEqual([member.peerId])
      expect((await guest.snapshot()).lending).toMatchObject({ unitsDone: 0, running: [], queued: 0 })

      await requester.reload()
      expect((await requester.snapshot()).admission).toMatchObject({ state: 'admitted', means: 'invite' })

      // The full link, opened in another tab of the guest's browser: its node is let in.
      await room.beside(guest.context)
      await stateIs(guest.page, 'admitted', 15_000)
      // Two executors for every unit: both have to do their part.
      const both = { replicas: 2, quorum: 2, useOwnWorkers: false }
      const again = await requester.submit(collatzJob(12, 2_000, both))
      await until('the job of both', async () => (await requester.job(again))?.state === 'done')
      const stats = (await requester.job(again))?.executorStats.filter(({ accepted }) => accepted > 0)
      expect(new Set(stats?.map(({ peerId }) => peerId))).toEqual(new Set([member.peerId, guest.peerId]))
    } finally {
      await room.close()
    }
  })

  it('does not run what a guest asks for', async () => {
    const room = await Room.open()
    try {
      const member = await room.tab()
      const guest = await room.tab({ invite: false, lend: false })
      await until('the guest to be connected', async () => (await directPeers(guest.page)) >= 1)
      const job = await guest.submit(collatzJob(4, 1_000, { replicas: 1, quorum: 1, useOwnWorkers: false }))
      await new Promise((resolve) => setTimeout(resolve, 6_000))
      expect((await guest.job(job))?.counts.accepted).toBe(0)
      expect((await member.snapshot()).lending).toMatchObject({ unitsDone: 0, running: [], queued: 0 })
    } finally {
      await room.close()
    }
  })
})

describe('a network of members', () => {
  it('lets in whom its founder invited, by the link that was made for it, and nobody else by that link', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'starling-members-'))
    const relay = await openRelay({ POLICY: 'members', DATA_DIR: dataDir })
    const page = await openTab(relay.url)
    expect(await admission(page)).toMatchObject({ state: 'guest', reason: { code: 'not-a-member' } })
    const { rootId } = await page.evaluate(() => globalThis.starling.identity())
    const key = await loadDeviceKeyFile(join(dataDir, 'relay-key'))
    const nowMs = Date.now()
    const invite = await makeInvite(dataDir, {
      root: rootId as RootId,
      expiresAtMs: nowMs + 600_000,
      loadFounder: async () => ({ author: peerIdOf(key.publicKey), sign: (bytes) => key.sign(bytes) }),
      verifier: new PlatformVerifier(),
      nowMs,
    })
    await page.goto('about:blank')
    await page.goto(inviteLink(relay.url, invite))
    await nodeIsUp(page)
    expect(await admission(page)).toMatchObject({ state: 'admitted', means: 'member' })
    const admitted = async (): Promise<string> => await (await fetch(`${relay.url}/metrics`)).text()
    await until('the relay to agree', async () => /relay_admitted_peers 1/.test(await admitted()))
    const other = await openTab(inviteLink(relay.url, invite))
    await until('the refusal', async () => (await admission(other)).reason?.code === 'BadInvitationError', 30_000)
  })
})

describe('an open network', () => {
  it('lets in a tab that worked for it, and the ticket holds over a reload', async () => {
    const relay = await openNetwork(EASY)
    const page = await openTab(relay.url)
    expect(await admission(page)).toMatchObject({ state: 'guest', policy: { kind: 'open' } })
    const started = performance.now()
    await page.getByRole('button', { name: 'Work to be let in' }).click()
    await stateIs(page, 'admitted')
    console.log(JSON.stringify({ test: 'admission.easy', value: Math.round(performance.now() - started), unit: 'ms' }))
    const before = await admission(page)
    expect(before).toMatchObject({ means: 'work', reason: null, mining: null })
    await page.reload()
    await nodeIsUp(page)
    expect(await admission(page)).toMatchObject({ state: 'admitted', means: 'work', expiresAt: before.expiresAt })
    // And others take it: two that worked compute for each other.
    const other = await openTab(relay.url)
    await lend(other)
    await stateIs(other, 'admitted')
    await until('each other', async () => (await directPeers(other)) >= 1)
    const metrics = await (await fetch(`${relay.url}/metrics`)).text()
    expect(metrics).toMatch(/relay_admitted_peers 2/)
  })

  it('goes on where it was after a reload, and rests when it is told to', async () => {
    const relay = await openNetwork(ENDLESS)
    const page = await openTab(relay.url)
    await lend(page)
    await until('some work', async () => ((await admission(page)).mining?.hashes ?? 0) > 2_000)
    const shown = await admission(page)
    expect(shown).toMatchObject({ state: 'mining', mining: { state: 'running', workers: 1, difficultyBits: 32 } })
    expect(shown.mining?.hashesPerSecond).toBeGreaterThan(0)
    expect(shown.mining?.etaMs).toBeGreaterThan(0)
    await page.getByText('Working to be let in').first().waitFor()
    await page.getByRole('button', { name: 'Pause the work' }).click()
    await until('the pause', async () => (await admission(page)).mining?.state === 'paused')
    const paused = (await admission(page)).mining?.hashes ?? 0
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect((await admission(page)).mining?.hashes).toBe(paused)
    await page.reload()
    await nodeIsUp(page)
    expect((await admission(page)).mining?.state ?? null).not.toBe('running')
    await page.getByRole('button', { name: /Resume the work|Work to be let in/ }).click()
    await until('the work to go on', async () => (await admission(page)).mining?.state === 'running')
    const resumed = (await admission(page)).mining?.hashes ?? 0
    // What was saved last, a second before the end at most: not from nothing.
    expect(resumed).toBeGreaterThan(paused * 0.5)
    await until('more work', async () => ((await admission(page)).mining?.hashes ?? 0) > resumed)
  })

  it('refuses replayed, foreign and made-up tickets, each by its name, and takes a good one', async () => {
    const relay = await openNetwork(EASY)
    const tab = await openTab(relay.url)
    await lend(tab)
    await stateIs(tab, 'admitted')
    const elsewhere = await openNetwork(EASY)
    const foreign = await Stranger.join(elsewhere.url)
    const stranger = await Stranger.join(relay.url)
    try {
      // Everyone a tab meets sees its credentials: so do those who would use them.
      await until('the tab’s credentials', async () => stranger.seen.some(({ beacon }) => beacon !== null))
      const shown = stranger.seen.find(({ beacon }) => beacon !== null) as ShownCredentials
      const theirs = decodeTicket(shown.ticket as Uint8Array) as WorkTicket
      const own = await stranger.identity()
      const ticket = (change: Partial<WorkTicket>) => encodeTicket({ ...theirs, ...change })
      const tampered = (shown.beacon as Uint8Array).slice()
      tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1
      const cases: readonly (readonly [string, string, Partial<ShownCredentials>])[] = [
        ['replayed as they are', 'InvalidCertificateError', shown],
        ['another’s ticket', 'InsufficientWorkError', { ...own, ticket: shown.ticket, beacon: shown.beacon }],
        ['no beacon', 'WrongBeaconError', { ...own, ticket: shown.ticket, beacon: null }],
        ['another network’s beacon', 'WrongBeaconError', { ...own, ticket: shown.ticket, beacon: foreign.beacon }],
        ['a forged beacon', 'BadSignatureError', { ...own, ticket: shown.ticket, beacon: tampered }],
        ['a gigabyte', 'TicketParametersError', { ...own, ticket: ticket({ memoryKibibytes: 1_048_576 }) }],
        [
          'an easier one',
          'TicketParametersError',
          { ...own, ticket: ticket({ difficultyBits: 1 }), beacon: shown.beacon },
        ],
        ['an old one', 'StaleTicketError', { ...own, ticket: ticket({ epoch: theirs.epoch - 2 }) }],
        ['one from tomorrow', 'FutureTicketError', { ...own, ticket: ticket({ epoch: theirs.epoch + 12 }) }],
        ['an invitation', 'TicketKindError', { ...own, ticket: INVITE_TICKET }],
      ]
      for (const [what, name, credentials] of cases) {
        // A peer's bad tickets are looked at a few times a minute only, so each comes from another.
        const one = await Stranger.join(relay.url)
        try {
          // What is meant to be right about it is its own; only the replayed ones are shown as they were.
          const identity = credentials === shown ? {} : await one.identity()
          const verdict = await one.show({ ...credentials, ...identity })
          expect([what, verdict.level, verdict.error]).toEqual([what, 'guest', name])
        } finally {
          await one.leave()
        }
      }
      const worked = await stranger.work()
      expect(await stranger.show({ ...own, ...worked })).toMatchObject({ level: 'admitted', error: null })
    } finally {
      await stranger.leave()
      await foreign.leave()
    }
  })

  it('has few places for guests at its relay, and none of them costs the admitted theirs', async () => {
    const relay = await openNetwork(ENDLESS, { GUEST_PLACES: '2' })
    const guests = [await openTab(relay.url), await openTab(relay.url), await openTab(relay.url)]
    const gauge = async (name: string): Promise<number> => {
      const text = await (await fetch(`${relay.url}/metrics`)).text()
      return Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
    }
    await until('a refused guest', async () => (await gauge('relay_guests_refused')) >= 1, 30_000)
    expect(await gauge('relay_guests')).toBeLessThanOrEqual(2)
    expect(await gauge('relay_reservations')).toBeLessThanOrEqual(2)
    expect(guests).toHaveLength(3)
  })

  it('[A15] counts links where their packets come from, and leaves tabs that hide their addresses their links', async () => {
    const relay = await openNetwork({ ...EASY, subnetLimits: true })
    const tabs = [await openTab(relay.url), await openTab(relay.url), await openTab(relay.url)]
    await until('links among all', async () => Math.min(...(await Promise.all(tabs.map(directPeers)))) >= 2)

    // In Node addresses are known. All are on this machine's addresses: one link from each subnet is everybody's share.
    const { networkId, multiaddrs } = await fetchRendezvous(relay.url)
    const problems: string[] = []
    const peers = await Promise.all(
      [1, 2, 3, 4].map(async () =>
        createNetwork({
          networkId: `${networkId.slice(0, 50)}-x`,
          identity: await createIdentity(),
          relays: multiaddrs,
          environment: 'node',
          diversity: { sharePpm: SUBNET_SHARE_PPM, exemptPrivate: false },
        }),
      ),
    )
    try {
      for (const peer of peers) peer.on('error', ({ name }) => problems.push(name))
      await Promise.all(peers.map((peer) => peer.start()))
      await until('a refused link', async () => problems.includes('SubnetFullError'), 60_000)
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()))
    }
  })
})
