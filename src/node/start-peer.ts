import { peerIdOf } from '../core/identity/peer-id.ts'
import type { Network } from '../net/network.ts'
import type { DeviceKey } from '../storage/device-key-types.ts'
import type { Store } from '../storage/store.ts'
import type { SpawnSandboxWorker } from '../workers/sandbox/contract.ts'
import { createPool } from '../workers/sandbox/pool.ts'
import { PeerBlockSource } from './block-source.ts'
import { BlockStore } from './block-store.ts'
import { monotonicClock } from './clock.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { Peer, type Platform } from './peer.ts'
import type { NodePorts } from './ports.ts'
import { Settings } from './settings.ts'
import { PlatformVerifier } from './verifier.ts'

/** What a browser's worker and Node give a peer, each in its own way. */
export interface StartPeerInit {
  readonly key: DeviceKey
  readonly store: Store
  readonly networkId: string
  readonly network: Network
  readonly spawn: SpawnSandboxWorker
  readonly platform: Platform
  readonly log: Log
}

/** Starts a peer from its parts. */
export async function startPeer(init: StartPeerInit): Promise<Peer> {
  const { key, store, network, networkId, log } = init
  const self = peerIdOf(key.publicKey)
  const metrics = new Metrics()
  const blocks = new BlockStore(store)
  const ports: NodePorts = {
    self,
    networkId,
    signer: { author: self, sign: (bytes) => key.sign(bytes) },
    verifier: new PlatformVerifier(),
    store,
    blocks,
    source: new PeerBlockSource(blocks, network, self),
    sandbox: createPool({ spawn: init.spawn, observe: (record) => metrics.executed(record) }),
    log,
    now: monotonicClock(),
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  }
  return await Peer.start({ ports, network, metrics, settings: new Settings(store), platform: init.platform })
}
