import { createNetwork } from '../net/create-network.ts'
import type { RtcProvider } from '../net/network.ts'
import { loadDeviceKey } from '../storage/device-key.ts'
import { IdbStore } from '../storage/idb-store.ts'
import { IdbRootKeyBox } from '../storage/root-key-box.ts'
import { spawnAggregator } from '../workers/aggregation/spawn.ts'
import type { NodeWorkerInit } from '../workers/node/contract.ts'
import { loadArgon2id } from '../workers/pow/load.ts'
import { spawnMiner } from '../workers/pow/spawn.ts'
import { spawnProofs } from '../workers/proofs/spawn.ts'
import { spawnSandboxWorker } from '../workers/sandbox/spawn.ts'
import { spawnTraining } from '../workers/training/spawn.ts'
import type { Diagnostics } from './contract.ts'
import { Log } from './log.ts'
import type { Peer } from './peer.ts'
import {
  beaconOf,
  diversityOf,
  fetchRendezvous,
  inviteUrlOf,
  networkOf,
  type Rendezvous,
  readRendezvous,
} from './rendezvous.ts'
import { Settings } from './settings.ts'
import { startPeer } from './start-peer.ts'
import { PlatformVerifier } from './verifier.ts'
import { VERSION } from './version.ts'

/** Between questions to a relay that does not answer, while no network is known at all. */
const RENDEZVOUS_RETRY_MS = 2_000

const RENDEZVOUS_KEY = 'rendezvous'

/** Starts the peer of a browser: called in the node worker. */
export async function startBrowserPeer(init: NodeWorkerInit, rtc: RtcProvider): Promise<Peer> {
  const log = new Log()
  const key = await loadDeviceKey(`${init.name}-keys`)
  const store = await IdbStore.open(init.name)
  const rendezvous = await findNetwork(init, new Settings(store), log)
  const verifier = new PlatformVerifier()
  const founded = await networkOf(rendezvous, verifier)
  const network = createNetwork({
    networkId: rendezvous.networkId,
    identity: key,
    relays: rendezvous.multiaddrs,
    environment: 'browser-worker',
    verifier,
    ...diversityOf(founded.policy),
    rtc,
    agent: `starling/${VERSION}`,
    logger: { log: (level, message) => log.write(level, 'network', message) },
  })
  return await startPeer({
    key,
    rootKeys: { box: await IdbRootKeyBox.open(`${init.name}-root-keys`), keptBy: null, deviceName: deviceName() },
    store,
    founded,
    network,
    invite: init.invite,
    fetchBeacon: async () => beaconOf(await fetchRendezvous(init.pageUrl)),
    mineUnasked: false,
    loadArgon2id,
    spawnMiner,
    spawn: spawnSandboxWorker,
    spawnTraining,
    spawnAggregator,
    spawnProofs,
    log,
    platform: {
      workersMax: navigator.hardwareConcurrency,
      pageUrl: inviteUrlOf(init.pageUrl, rendezvous),
      versions: { starling: VERSION, browser: navigator.userAgent },
      crossOriginIsolated: globalThis.crossOriginIsolated,
      storage: estimateStorage,
      probeRelay: () => probeRelay(init.pageUrl),
    },
  })
}

/**
 * Which network this page belongs to. The relay says; when it is away, what it said last time holds, so that a page that was
 * opened before starts offline too.
 */
async function findNetwork(init: NodeWorkerInit, settings: Settings, log: Log): Promise<Rendezvous> {
  const origin = init.pageUrl
  for (;;) {
    try {
      const rendezvous = await fetchRendezvous(origin)
      await settings.saveText(RENDEZVOUS_KEY, JSON.stringify(rendezvous))
      return rendezvous
    } catch (error) {
      const remembered = readRemembered(await settings.text(RENDEZVOUS_KEY))
      if (remembered !== null) return remembered
      log.write('warn', 'rendezvous', error instanceof Error ? error.message : String(error))
      await new Promise((resolve) => setTimeout(resolve, RENDEZVOUS_RETRY_MS))
    }
  }
}

/** What the owner sees first as this device's name: the engine and the system, as far as the browser tells. */
function deviceName(): string {
  const { userAgent } = navigator
  const match = (names: readonly (readonly [RegExp, string])[], otherwise: string): string =>
    names.find(([pattern]) => pattern.test(userAgent))?.[1] ?? otherwise
  // Order matters: Edge and Chrome say Safari too, Android says Linux.
  const engine = match(
    [
      [/Edg\//, 'Edge'],
      [/Firefox\//, 'Firefox'],
      [/Chrom/, 'Chrome'],
      [/Safari\//, 'Safari'],
    ],
    'Browser',
  )
  const system = match(
    [
      [/Android/, 'Android'],
      [/iPhone|iPad/, 'iOS'],
      [/Windows/, 'Windows'],
      [/Mac OS/, 'macOS'],
      [/Linux/, 'Linux'],
    ],
    'this device',
  )
  return `${engine} on ${system}`
}

/** What an older version remembered may lack what is needed now: then the relay is waited for. */
function readRemembered(text: string | undefined): Rendezvous | null {
  try {
    return text === undefined ? null : readRendezvous(text)
  } catch {
    return null
  }
}

async function estimateStorage(): Promise<Diagnostics['storage']> {
  const { usage = 0, quota } = await navigator.storage.estimate()
  return { usedBytes: usage, quotaBytes: quota ?? null, persisted: await navigator.storage.persisted() }
}

async function probeRelay(origin: string): Promise<number> {
  const started = performance.now()
  const response = await fetch(new URL('/healthz', origin), { cache: 'no-store', signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`The relay answered ${response.status}`)
  return performance.now() - started
}
