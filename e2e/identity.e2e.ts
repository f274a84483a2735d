/** Who a tab is, in real tabs: made without asking, backed up, wiped, restored; rotated under kills; and its key never to be seen. */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureChromium, launchChromium } from '../src/cli/chromium.ts'
import { type BackupSlot, encodeBackup, sealContext } from '../src/core/identity/backup.ts'
import { encodeLineage, newLineage } from '../src/core/identity/lineage.ts'
import { peerIdOf } from '../src/core/identity/peer-id.ts'
import { rootIdOf } from '../src/core/identity/root.ts'
import type { IdentityInfo } from '../src/node/identity-contract.ts'
import { newPassphraseTerms, passphraseKey } from '../src/storage/passphrase.ts'
import { seal } from '../src/storage/root-key-store.ts'
import { collatzJob } from './support/collatz.ts'
import { RelayProcess } from './support/relay-process.ts'
import { submit } from './support/room.ts'
import { until } from './support/until.ts'
import { KILLER, RECORDER } from './support/worker-preludes.ts'

const DIST = process.env.STARLING_DIST ?? fileURLToPath(new URL('../dist/', import.meta.url))
const PASSPHRASE = 'four random words here'
const NODE_START_TIMEOUT_MS = 60_000
/** More than a rotation writes, with what else a peer writes meanwhile. */
const KILL_POINTS_MAX = 24

const dir = mkdtempSync(join(tmpdir(), 'starling-identity-'))
let relay: RelayProcess
let browser: Browser

beforeAll(async () => {
  if (!existsSync(join(DIST, 'index.html'))) throw new Error('There is no built page: run `npm run build` first')
  relay = await RelayProcess.start({ DATA_DIR: join(dir, 'relay'), DIST_DIR: DIST })
  browser = await launchChromium(ensureChromium(() => undefined))
})
afterAll(async () => {
  await browser?.close()
  relay?.kill()
})

/** Passkeys need a host name. */
const link = (path = '/'): string => relay.link(path).replace('127.0.0.1', 'localhost')

async function newContext(options: { readonly nodeWorker?: string; readonly page?: string } = {}) {
  const context: BrowserContext = await browser.newContext({ serviceWorkers: 'block', acceptDownloads: true })
  if (options.page !== undefined) await context.addInitScript(options.page)
  const { nodeWorker } = options
  if (nodeWorker !== undefined) {
    await context.route(/\/assets\/node-worker-[^/]*\.js$/, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: `${nodeWorker}\n${await response.text()}` })
    })
  }
  return context
}

async function open(page: Page, path = '/identity'): Promise<IdentityInfo> {
  // The link has a fragment: from itself to itself nothing would be loaded.
  await page.goto('about:blank')
  await page.goto(link(path))
  return await identityOf(page)
}

async function identityOf(page: Page): Promise<IdentityInfo> {
  await page.waitForFunction(() => globalThis.starling !== undefined, null, { timeout: NODE_START_TIMEOUT_MS })
  return await page.evaluate(() => globalThis.starling.identity())
}

/** What a browser does when its owner clears the site's data. */
async function wipe(page: Page, cdp: CDPSession): Promise<void> {
  const origin = new URL(page.url()).origin
  await page.goto('about:blank')
  await cdp.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
}

async function saved(page: Page, click: () => Promise<void>): Promise<string> {
  const download = page.waitForEvent('download')
  await click()
  const path = join(dir, (await download).suggestedFilename())
  await (await download).saveAs(path)
  return path
}

interface Dealings {
  readonly good: number
  readonly bad: number
  readonly score: number | null
  readonly standing: number
  readonly devices: readonly string[]
}

/** What a tab knows of a root from its own dealings. */
async function dealings(page: Page, rootId: string): Promise<Dealings> {
  const entries = await page.evaluate(() => globalThis.starling.trustEntries())
  const entry = entries.find((each) => each.rootId === rootId)
  const { score = null, standing = 0, devices = [] } = entry ?? {}
  return { good: entry?.tasks.good ?? 0, bad: entry?.tasks.bad ?? 0, score, standing, devices }
}

/** Somebody who was never seen. */
const LIAR_ROOT = rootIdOf(peerIdOf(ed25519.getPublicKey(new Uint8Array(32).fill(9))))

describe('an identity in a real tab', () => {
  let page: Page
  let cdp: CDPSession
  let before: IdentityInfo
  let backup: string
  let passkeyFile: string
  /** Another tab of the room, and what was known of it when the backup was made. */
  let other: Page
  let otherRoot: string
  let known: Dealings

  beforeAll(async () => {
    page = await (await newContext()).newPage()
    cdp = await page.context().newCDPSession(page)
    await cdp.send('WebAuthn.enable')
    await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        ctap2Version: 'ctap2_1',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        hasPrf: true,
        automaticPresenceSimulation: true,
      },
    })
  })
  afterAll(async () => {
    await page?.context().close()
    await other?.context().close()
  })

  /** What it thinks of others, and what the other thinks of it under whatever device. */
  async function reputationIsBack(): Promise<void> {
    const back = await dealings(page, otherRoot)
    expect(back).toMatchObject({ good: known.good, bad: known.bad, standing: known.standing })
    expect(back.score).toBeCloseTo(known.score ?? Number.NaN, 2)
    const blacklist = await page.evaluate(() => globalThis.starling.blacklist())
    expect(blacklist).toMatchObject([{ rootId: LIAR_ROOT, by: 'owner', reason: 'known to lie' }])
    const { peerId } = await page.evaluate(() => globalThis.starling.snapshot())
    await until('the other to know the new device by its root', async () => {
      const { good, devices } = await dealings(other, before.rootId)
      return good === 12 && devices.includes(peerId)
    })
  }

  it('is there without a question, and says that it is only here', async () => {
    expect(await open(page)).toMatchObject({ state: 'provisional', reason: { code: 'identity-no-unlocker' } })
    await page.getByText('This identity is only here').waitFor()
  })

  it('deals with another, each for the other', async () => {
    other = await (await newContext()).newPage()
    otherRoot = (await open(other, '/')).rootId
    for (const [asks, works, worker] of [
      [page, other, otherRoot],
      [other, page, (await identityOf(page)).rootId],
    ] as const) {
      const lend = (optedIn: boolean) =>
        works.evaluate(async (lending) => void (await globalThis.starling.setLending(lending)), {
          optedIn,
          workers: 1,
          pauseOnBattery: false,
          pauseOnMetered: false,
        })
      await lend(true)
      const options = { replicas: 1, quorum: 1, auditPpm: 0, useOwnWorkers: false }
      const job = await submit(asks, collatzJob(12, 500, options))
      await until('the job', async () => {
        const detail = await asks.evaluate((id) => globalThis.starling.job(id), job)
        return detail?.state === 'done'
      })
      await lend(false)
      expect(await dealings(asks, worker)).toMatchObject({ good: 12, bad: 0 })
    }
    const barred = { durationMs: null, reason: 'known to lie' }
    await page.evaluate((by) => globalThis.starling.blacklistPeer(by.root, by.barred), { root: LIAR_ROOT, barred })
    known = await dealings(page, otherRoot)
    expect(known.score).not.toBeNull()
  })

  it('is backed up to a file and a passkey, each tried, and protected', async () => {
    await page.getByRole('button', { name: /^Rename/ }).click()
    await page.getByRole('textbox', { name: 'Name of the device' }).fill('Kitchen')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Kitchen').waitFor()
    await page.getByText('Make a backup file', { exact: true }).click()
    await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE)
    await page.getByLabel('The same again').fill(PASSPHRASE)
    backup = await saved(page, () => page.getByRole('button', { name: 'Make and save the file' }).click())
    await page.getByText('There is one way to get it back').waitFor()
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByText('No backup was tried yet').waitFor()
    await page.getByRole('button', { name: 'Try the passkey' }).click()
    await page.getByText('Ready to be protected').waitFor()
    await page.getByText('Try the backup file', { exact: true }).click()
    const form = page.getByRole('form', { name: 'Try the backup file' })
    await form.locator('input[type=file]').setInputFiles(backup)
    await form.getByLabel('Its passphrase').fill('the wrong passphrase')
    await form.getByRole('button', { name: 'Try it' }).click()
    await form.getByRole('alert').getByText('does not open').waitFor()
    await form.getByLabel('Its passphrase').fill(PASSPHRASE)
    await form.getByRole('button', { name: 'Try it' }).click()
    await page.getByText('The backup file opens').first().waitFor()
    passkeyFile = await saved(page, () => page.getByRole('button', { name: 'Save the passkey’s file' }).click())
    await page.getByRole('button', { name: 'Protect the identity' }).click()
    await page.getByRole('button', { name: 'Delete the copy' }).click()
    await page.getByText('Protected', { exact: true }).waitFor()
    before = await identityOf(page)
    expect(before).toMatchObject({ state: 'protected', reason: null, devices: [{ name: 'Kitchen' }] })
    expect(before.unlockers.map(({ kind, provedAt }) => [kind, provedAt !== null])).toEqual([
      ['passkey', true],
      ['file', true],
    ])
  })

  it('comes back by file after the site data was wiped, with its devices', async () => {
    await wipe(page, cdp)
    const fresh = await open(page)
    expect(fresh.rootId).not.toBe(before.rootId)
    await page.getByText('With a backup file', { exact: true }).click()
    const form = page.getByRole('form', { name: 'Restore with a backup file' })
    await form.locator('input[type=file]').setInputFiles(backup)
    await form.getByLabel('Its passphrase').fill(PASSPHRASE)
    await form.getByRole('button', { name: 'Restore' }).click()
    await page.getByText('The identity was restored').first().waitFor()
    const after = await identityOf(page)
    expect(after).toMatchObject({ rootId: before.rootId, activeKey: before.activeKey, createdAt: expect.any(Number) })
    expect(after.devices).toMatchObject([{ self: true }, { name: 'Kitchen', peerId: before.devices[0]?.peerId }])
    await reputationIsBack()
    expect(await open(page)).toEqual(after)
  })

  it('comes back by passkey after the site data was wiped, with its devices', async () => {
    await wipe(page, cdp)
    expect((await open(page)).rootId).not.toBe(before.rootId)
    await page.getByText('With a passkey', { exact: true }).click()
    await page.getByLabel('The passkey’s file, or a backup file').setInputFiles(passkeyFile)
    await page.getByRole('button', { name: 'Use the passkey' }).click()
    await page.getByText('The identity was restored').first().waitFor()
    const after = await identityOf(page)
    expect(after).toMatchObject({ rootId: before.rootId, activeKey: before.activeKey })
    expect(after.devices.map(({ peerId }) => peerId)).toContain(before.devices[0]?.peerId)
    await reputationIsBack()
  })

  it('says that the key is gone when only the keys were cleared, and takes it back by passkey alone', async () => {
    const { rootId } = await identityOf(page)
    await page.goto('about:blank')
    await page.goto(link('/icon-192.png'))
    await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase('starling-root-keys')
          request.onsuccess = resolve
          request.onerror = reject
        }),
    )
    expect(await open(page)).toMatchObject({ state: 'lost', rootId })
    await page.getByText('The key is not here any more').waitFor()
    await page.getByText('With a passkey', { exact: true }).click()
    await page.getByRole('button', { name: 'Use the passkey' }).click()
    await page.getByText('The identity was restored').first().waitFor()
    expect(await identityOf(page)).toMatchObject({ state: 'provisional', rootId })
  })
})

it('a rotation killed at each write ends in a good state after the next start', async () => {
  const context = await newContext({ nodeWorker: KILLER })
  const page = await context.newPage()
  const { rootId } = await open(page)
  let { activeKey } = await identityOf(page)
  let kills = 0
  for (let writes = 0; ; writes++) {
    if (writes > KILL_POINTS_MAX) throw new Error(`A rotation writes more than ${KILL_POINTS_MAX} times`)
    const how = await page.evaluate(async (left) => {
      const channel = new BroadcastChannel('test-kill')
      const heard = (word: string) =>
        new Promise<string>((resolve) => {
          channel.addEventListener('message', ({ data }) => (data === word ? resolve(word) : undefined))
        })
      const [armed, killed] = [heard('armed'), heard('killed')]
      channel.postMessage(left)
      await armed
      const rotated = globalThis.starling.rotateIdentity({ reason: 'compromised', unlock: null })
      return await Promise.race([
        killed,
        rotated.then(
          () => 'rotated',
          () => killed,
        ),
      ])
    }, writes)
    const after = await open(page)
    expect(after, `after ${writes} writes`).toMatchObject({ state: 'provisional', rootId })
    const last = after.successions.at(-1)?.newKey ?? rootId
    expect(after.activeKey).toBe(last)
    const keys = await page.evaluate(
      () =>
        new Promise<string[]>((resolve, reject) => {
          const request = indexedDB.open('starling-root-keys')
          request.onerror = reject
          request.onsuccess = () => {
            const all = request.result.transaction('root-keys').objectStore('root-keys').getAllKeys()
            all.onsuccess = () => {
              request.result.close()
              resolve(all.result as string[])
            }
          }
        }),
    )
    expect(keys).toEqual([after.activeKey])
    if (how === 'rotated') {
      expect(after.activeKey).not.toBe(activeKey)
      break
    }
    kills++
    activeKey = after.activeKey
  }
  // Four states, the key, the switch, the old key's end.
  expect(kills).toBeGreaterThanOrEqual(7)
  await context.close()
})

describe('a known secret', () => {
  const seed = crypto.getRandomValues(new Uint8Array(32))
  const key = peerIdOf(ed25519.getPublicKey(seed))
  const root = rootIdOf(key)

  /** A backup as another device would have made it, of a key that this test knows. */
  async function plantedBackup(): Promise<Uint8Array> {
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
    const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign'])
    const terms = { kind: 'passphrase', ...newPassphraseTerms() } as const
    const sealer = await passphraseKey(PASSPHRASE, terms)
    const slot: BackupSlot = { ...terms, ...(await seal(privateKey, sealer, sealContext(root, key, terms))) }
    const lineage = encodeLineage(newLineage(root))
    return encodeBackup({ root, key, createdAtMs: Date.now(), lineage, certificates: [], slots: [slot] })
  }

  /** The ways in which the seed might be written down. Halves are looked for too. */
  function forms(): string[] {
    const buffer = Buffer.from(seed)
    const halves = [buffer.subarray(0, 16), buffer.subarray(16)]
    const inPkcs8 = Buffer.concat([Buffer.from('0420', 'hex'), buffer])
    return [
      ...halves.map((half) => half.toString('latin1')),
      ...halves.flatMap((half) => [half.toString('hex'), half.toString('hex').toUpperCase()]),
      // Base64 of something longer: all three places where the seed may begin, without the ends that its neighbours change.
      ...[0, 1, 2].map((shift) =>
        Buffer.concat([Buffer.alloc(shift), buffer])
          .toString('base64')
          .slice(4, -4),
      ),
      ...[0, 1, 2].map((shift) =>
        Buffer.concat([Buffer.alloc(shift), buffer])
          .toString('base64url')
          .slice(4, -4),
      ),
      inPkcs8.toString('base64').slice(4, -4),
      halves.map((half) => [...half].join(',')).join(','),
    ]
  }

  const holds = (texts: readonly string[]): boolean => texts.some((text) => forms().some((form) => text.includes(form)))

  interface Recorded {
    collectTraffic(): Promise<{ page: string[]; worker: string[] }>
    flattenForTest(value: unknown): string
  }

  /** Every record of every database, cache and storage of the origin; and whether any key in them can be exported. */
  async function stored(page: Page): Promise<{ texts: string[]; keys: number; exported: number }> {
    return await page.evaluate(async () => {
      const { flattenForTest } = globalThis as unknown as Recorded
      const texts: string[] = Object.entries(localStorage).flat()
      const keys: CryptoKey[] = []
      const findKeys = (value: unknown): void => {
        if (value instanceof CryptoKey) keys.push(value)
        else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
          Object.values(value).forEach(findKeys)
        }
      }
      const result = <T>(request: IDBRequest<T>): Promise<T> =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result)
          request.onerror = () => reject(request.error)
        })
      for (const { name } of await indexedDB.databases()) {
        const db = await result(indexedDB.open(name ?? ''))
        for (const store of db.objectStoreNames) {
          for (const record of await result(db.transaction(store).objectStore(store).getAll())) {
            texts.push(flattenForTest(record))
            findKeys(record)
          }
        }
        db.close()
      }
      for (const name of await caches.keys()) {
        const cache = await caches.open(name)
        for (const request of await cache.keys()) {
          texts.push(flattenForTest(await (await cache.match(request))?.arrayBuffer()))
        }
      }
      let exported = 0
      const secret = keys.filter(({ type }) => type !== 'public')
      for (const key of secret) {
        for (const format of ['raw', 'pkcs8', 'jwk'] as const) {
          await crypto.subtle.exportKey(format as 'raw', key).then(
            () => exported++,
            () => undefined,
          )
        }
      }
      return { texts, keys: secret.length, exported }
    })
  }

  it('is in no stored record and in no message between page and workers, whatever the identity is used for', async () => {
    const context = await newContext({ nodeWorker: RECORDER, page: RECORDER })
    const page = await context.newPage()
    await open(page)
    const file = [...(await plantedBackup())]
    const restored = await page.evaluate(
      async ({ file, passphrase }) => {
        const node = globalThis.starling
        await node.restoreFromBackup(new Uint8Array(file), passphrase)
        const backup = await node.createBackup(passphrase)
        await node.proveBackup(backup, passphrase)
        const raw = crypto.getRandomValues(new Uint8Array(32))
        const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
        const passkey = { credentialId: new Uint8Array(16), label: 'A passkey', key }
        await node.addPasskey(passkey)
        await node.provePasskey(passkey)
        await node.restoreFromPasskey(passkey, await node.passkeyFile())
        const { peerId } = await node.snapshot()
        await node.renameDevice(peerId, 'Signed once more')
        await node.exportIdentity()
        return await node.identity()
      },
      { file, passphrase: PASSPHRASE },
    )
    expect(restored).toMatchObject({ state: 'provisional', rootId: root, activeKey: key })
    // The same through a second tab of the origin, which shows the first one's node over a broadcast channel.
    const viewer = await context.newPage()
    expect((await open(viewer)).rootId).toBe(root)
    await viewer.evaluate(async (passphrase) => {
      const node = globalThis.starling
      await node.proveBackup(await node.createBackup(passphrase), passphrase)
      const raw = crypto.getRandomValues(new Uint8Array(32))
      const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
      await node.addPasskey({ credentialId: new Uint8Array(16).fill(1), label: 'By the viewer', key })
    }, PASSPHRASE)
    expect(await identityOf(viewer)).toMatchObject({
      unlockers: expect.arrayContaining([expect.objectContaining({ label: 'By the viewer' })]),
    })
    await viewer.close()
    const traffic = await page.evaluate(() => (globalThis as unknown as Recorded).collectTraffic())
    expect(traffic.page.length).toBeGreaterThan(10)
    expect(traffic.worker.length).toBeGreaterThan(10)
    // The recorder hears what crosses: the passphrase did.
    expect(traffic.page.some((text) => text.includes(PASSPHRASE))).toBe(true)
    expect(traffic.worker.some((text) => text.includes(PASSPHRASE))).toBe(true)
    expect(holds([...traffic.page, ...traffic.worker])).toBe(false)
    const { texts, keys, exported } = await stored(page)
    // The device's key, the root key, and what seals its copy.
    expect(keys).toBeGreaterThanOrEqual(3)
    expect(exported).toBe(0)
    expect(texts.some((text) => text.includes('Signed once more'))).toBe(true)
    expect(holds(texts)).toBe(false)

    await page.evaluate(() => globalThis.starling.protectIdentity())
    expect(await open(page)).toMatchObject({ state: 'protected', rootId: root })
    expect(holds((await stored(page)).texts)).toBe(false)

    // The search would find it: once written into a database and once sent to a port, it is found in both.
    await page.evaluate(
      async (planted) => {
        new MessageChannel().port1.postMessage({ deep: [new Uint8Array(planted)] })
        await new Promise((resolve, reject) => {
          const request = indexedDB.open('planted', 1)
          request.onupgradeneeded = () => request.result.createObjectStore('records')
          request.onerror = reject
          request.onsuccess = () => {
            const transaction = request.result.transaction('records', 'readwrite')
            transaction.objectStore('records').put({ deep: new Uint8Array(planted).buffer }, 'seed')
            transaction.oncomplete = resolve
          }
        })
      },
      [...seed],
    )
    expect(holds((await page.evaluate(() => (globalThis as unknown as Recorded).collectTraffic())).page)).toBe(true)
    expect(holds((await stored(page)).texts)).toBe(true)
    await context.close()
  })

  it('is found by the search however it is written', () => {
    const buffer = Buffer.from(seed)
    const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), buffer])
    const written = [buffer.toString('hex'), buffer.toString('base64'), pkcs8.toString('base64'), [...pkcs8].join(',')]
    for (const text of [...written, pkcs8.toString('latin1'), pkcs8.toString('base64url')]) {
      expect(holds([`before ${text} after`]), text).toBe(true)
    }
    expect(holds([Buffer.from(crypto.getRandomValues(new Uint8Array(64))).toString('hex')])).toBe(false)
  })
})

it('a revocation is heard by whoever meets the device, and undoes what it was', async () => {
  const [owner, other] = [await (await newContext()).newPage(), await (await newContext()).newPage()]
  await open(owner)
  await open(other)
  const { peerId } = await owner.evaluate(() => globalThis.starling.snapshot())
  await other.waitForFunction(
    async (id) => (await globalThis.starling.peers()).some((peer) => peer.peerId === id),
    peerId,
    { timeout: 60_000, polling: 500 },
  )
  expect(await owner.evaluate(() => globalThis.starling.revokeIdentity())).toMatchObject({ state: 'revoked' })
  await other.waitForFunction(
    async (peer) =>
      (await globalThis.starling.securityEvents({ peer })).some(({ message }) => message.includes('revoked')),
    peerId,
    { timeout: 30_000, polling: 500 },
  )
  await owner.context().close()
  await other.context().close()
})

it('a file that is no backup is refused in words, and the identity stays', async () => {
  const page = await (await newContext()).newPage()
  const { rootId } = await open(page)
  const path = join(dir, 'not-a-backup.starling')
  writeFileSync(path, readFileSync(fileURLToPath(import.meta.url)).subarray(0, 400))
  await page.getByText('With a backup file', { exact: true }).click()
  const form = page.getByRole('form', { name: 'Restore with a backup file' })
  await form.locator('input[type=file]').setInputFiles(path)
  await form.getByLabel('Its passphrase').fill(PASSPHRASE)
  await form.getByRole('button', { name: 'Restore' }).click()
  await form.getByRole('alert').getByText('no whole backup').waitFor()
  expect((await identityOf(page)).rootId).toBe(rootId)
  await page.context().close()
})
