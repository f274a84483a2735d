import { mkdir, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createNetwork } from '../net/create-network.ts'
import { loadDeviceKeyFile, makeVolatileDeviceKey } from '../storage/device-key-file.node.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { MemoryRootKeyBox } from '../storage/root-key-box.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { spawnAggregator } from '../workers/aggregation/spawn.node.ts'
import { loadArgon2id } from '../workers/pow/load.node.ts'
import { spawnMiner } from '../workers/pow/spawn.node.ts'
import { spawnProofs } from '../workers/proofs/spawn.node.ts'
import { spawnSandboxWorker } from '../workers/sandbox/spawn.node.ts'
import { spawnTraining } from '../workers/training/spawn.node.ts'
import { inviteLink, inviteOf } from './capability.ts'
import type { LogEntry } from './contract.ts'
import { Log } from './log.ts'
import { deviceName, openRootKeys } from './open-identity.node.ts'
import { withOwnInvite } from './own-invite.node.ts'
import type { Peer } from './peer.ts'
import { beaconOf, diversityOf, fetchRendezvous, networkOf } from './rendezvous.ts'
import { type RootKeys, startPeer } from './start-peer.ts'
import { PlatformVerifier } from './verifier.ts'
import { VERSION } from './version.ts'

export interface NodePeerInit {
  /** Folder of key and records; `:memory:` keeps nothing. */
  readonly dataDir: string
  /** URL of a relay's page; a room's with the `#invite=…` of its link. */
  readonly relay: string
  /** @default All cores. */
  readonly workersMax?: number
  /** Addresses to listen on, such as `/ip4/127.0.0.1/udp/0/webrtc-direct`. @default [] */
  readonly listen?: readonly string[]
  /** Opens the keys of the identity where a passphrase keeps them, and keeps new ones where the system has no key ring. */
  readonly passphrase?: string
  /** @default 'system' */
  readonly keyRing?: 'system' | 'none'
  /** Works for its admission where the network asks for that, without being told to. @default true */
  readonly mine?: boolean
  readonly onLog?: (entry: LogEntry) => void
}

/**
 * Starts a peer in Node: what the CLI runs.
 *
 * @throws `RendezvousError` When the relay does not answer.
 */
export async function startNodePeer(init: NodePeerInit): Promise<Peer> {
  const relay = withOwnInvite(init.relay)
  const log = new Log()
  if (init.onLog !== undefined) log.listen(init.onLog)
  const inMemory = init.dataDir === ':memory:'
  if (!inMemory) await mkdir(init.dataDir, { recursive: true, mode: 0o700 })
  const file = join(init.dataDir, 'starling.sqlite')
  const key = inMemory ? await makeVolatileDeviceKey() : await loadDeviceKeyFile(join(init.dataDir, 'device.key'))
  const store = inMemory ? new MemoryStore() : new SqliteStore(file)
  const rendezvous = await fetchRendezvous(init.relay)
  const { networkId, multiaddrs } = rendezvous
  const verifier = new PlatformVerifier()
  const founded = await networkOf(rendezvous, verifier)
  const network = createNetwork({
    networkId,
    identity: key,
    relays: multiaddrs,
    environment: 'node',
    verifier,
    ...diversityOf(founded.policy),
    agent: `starling/${VERSION} node`,
    listen: init.listen ?? [],
    logger: { log: (level, message) => log.write(level, 'network', message) },
  })
  return await startPeer({
    key,
    rootKeys: inMemory ? { box: new MemoryRootKeyBox(), keptBy: null, deviceName } : await rootKeysOf(init, log),
    store,
    founded,
    network,
    invite: inviteOf(relay),
    fetchBeacon: async () => beaconOf(await fetchRendezvous(init.relay)),
    mineUnasked: init.mine ?? true,
    loadArgon2id,
    spawnMiner,
    spawn: spawnSandboxWorker,
    spawnTraining,
    spawnAggregator,
    spawnProofs,
    log,
    platform: {
      workersMax: init.workersMax ?? availableParallelism(),
      pageUrl: inviteLink(init.relay, null),
      versions: { starling: VERSION, node: process.version },
      crossOriginIsolated: true,
      storage: async () => ({
        usedBytes: inMemory ? 0 : (await stat(file)).size,
        quotaBytes: null,
        persisted: !inMemory,
      }),
    },
  })
}

async function rootKeysOf(init: NodePeerInit, log: Log): Promise<RootKeys> {
  const box = await openRootKeys(init, (aside) => {
    log.write('error', 'identity', `The key file is damaged and was put aside as ${aside}; restore a backup`)
  })
  if (box.kind === 'file') {
    log.write('warn', 'identity', 'The root key is kept by file permissions alone; `starling id protect` seals it')
  }
  return { box, keptBy: box.kind === 'file' ? null : box.kind, deviceName }
}
