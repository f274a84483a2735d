import { mkdir, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createNetwork } from '../net/create-network.ts'
import { loadDeviceKeyFile, makeVolatileDeviceKey } from '../storage/device-key-file.node.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { spawnSandboxWorker } from '../workers/sandbox/spawn.node.ts'
import type { LogEntry } from './contract.ts'
import { Log } from './log.ts'
import type { Peer } from './peer.ts'
import { fetchRendezvous } from './rendezvous.ts'
import { startPeer } from './start-peer.ts'
import { VERSION } from './version.ts'

export interface NodePeerInit {
  /** Folder of key and records; `:memory:` keeps nothing. */
  readonly dataDir: string
  /** URL of a relay's page. */
  readonly relay: string
  /** @default All cores. */
  readonly workersMax?: number
  /** Addresses to listen on, such as `/ip4/127.0.0.1/udp/0/webrtc-direct`. @default [] */
  readonly listen?: readonly string[]
  readonly onLog?: (entry: LogEntry) => void
}

/**
 * Starts a peer in Node: what the CLI runs.
 *
 * @throws `RendezvousError` When the relay does not answer.
 */
export async function startNodePeer(init: NodePeerInit): Promise<Peer> {
  const log = new Log()
  if (init.onLog !== undefined) log.listen(init.onLog)
  const inMemory = init.dataDir === ':memory:'
  if (!inMemory) await mkdir(init.dataDir, { recursive: true, mode: 0o700 })
  const file = join(init.dataDir, 'starling.sqlite')
  const key = inMemory ? await makeVolatileDeviceKey() : await loadDeviceKeyFile(join(init.dataDir, 'device.key'))
  const store = inMemory ? new MemoryStore() : new SqliteStore(file)
  const { networkId, multiaddrs } = await fetchRendezvous(init.relay)
  const network = createNetwork({
    networkId,
    identity: key,
    relays: multiaddrs,
    environment: 'node',
    agent: `starling/${VERSION} node`,
    listen: init.listen ?? [],
    logger: { log: (level, message) => log.write(level, 'network', message) },
  })
  return await startPeer({
    key,
    store,
    networkId,
    network,
    spawn: spawnSandboxWorker,
    log,
    platform: {
      workersMax: init.workersMax ?? availableParallelism(),
      pageUrl: init.relay,
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
