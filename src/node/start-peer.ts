import type { FoundedNetwork } from '../core/admission/policy.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import type { Network } from '../net/network.ts'
import type { DeviceKey } from '../storage/device-key-types.ts'
import { type RootKeyBox, RootKeyStore } from '../storage/root-key-store.ts'
import type { Store } from '../storage/store.ts'
import { createAggregator } from '../workers/aggregation/aggregator.ts'
import type { SpawnAggregator } from '../workers/aggregation/contract.ts'
import type { Argon2idKernel } from '../workers/pow/argon2id.ts'
import type { SpawnMiner } from '../workers/pow/contract.ts'
import { createProofs } from '../workers/proofs/client.ts'
import type { SpawnProofs } from '../workers/proofs/contract.ts'
import type { SpawnSandboxWorker } from '../workers/sandbox/contract.ts'
import { createPool } from '../workers/sandbox/pool.ts'
import type { SpawnTraining, TrainingWorker } from '../workers/training/client.ts'
import { Admission, type AdmissionInit } from './admission.ts'
import { PeerBlockSource } from './block-source.ts'
import { BlockStore } from './block-store.ts'
import { monotonicClock } from './clock.ts'
import { IdentityBook } from './identity-book.ts'
import type { LearningWorkers } from './learning-worker.ts'
import type { Log } from './log.ts'
import { Metrics } from './metrics.ts'
import { Peer, type Platform } from './peer.ts'
import type { NodePorts } from './ports.ts'
import { SecurityLog } from './security-log.ts'
import { Settings } from './settings.ts'
import { StatementGate } from './statement-gate.ts'
import { PlatformVerifier } from './verifier.ts'

/** What a browser's worker and Node give a peer, each in its own way. */
export interface StartPeerInit {
  readonly key: DeviceKey
  readonly rootKeys: RootKeys
  readonly store: Store
  /** The network as its founder signed it. */
  readonly founded: FoundedNetwork
  readonly network: Network
  /** What the link that was opened invites with. */
  readonly invite: string | null
  readonly fetchBeacon: AdmissionInit['fetchBeacon']
  readonly mineUnasked: boolean
  readonly loadArgon2id: () => Promise<Argon2idKernel>
  readonly spawnMiner: SpawnMiner
  readonly spawn: SpawnSandboxWorker
  readonly spawnTraining: SpawnTraining
  readonly spawnAggregator: SpawnAggregator
  readonly spawnProofs: SpawnProofs
  readonly platform: Platform
  readonly log: Log
}

/** Where the keys of the identity are, and how this device is called. */
export interface RootKeys {
  readonly box: RootKeyBox
  /** What keeps them, where that is more than the browser. */
  readonly keptBy: 'keyring' | 'passphrase' | null
  readonly deviceName: string
}

/** Starts a peer from its parts. */
export async function startPeer(init: StartPeerInit): Promise<Peer> {
  const { key, store, network, founded, log } = init
  const self = peerIdOf(key.publicKey)
  const metrics = new Metrics()
  const blocks = new BlockStore(store)
  const now = monotonicClock()
  const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))
  const verifier = new PlatformVerifier()
  const onProblem = (message: string): void => log.write('error', 'security', message)
  const security = await SecurityLog.open({ store, now, onProblem })
  const { box, ...kept } = init.rootKeys
  const identity = await IdentityBook.open({
    ...kept,
    store,
    keys: new RootKeyStore(box),
    verifier,
    networkId: founded.networkId,
    device: self,
    onSecurityEvent: (report) => security.add(report),
    now,
    random,
  })
  const statements = await StatementGate.open({
    network: founded.networkId,
    verifier,
    store,
    now,
    clockCorrectionMs: () => network.clockCorrectionMs(),
    random,
    onSecurityEvent: (report) => security.add(report),
  })
  let kernel: Promise<Argon2idKernel> | undefined
  const admission = new Admission({
    founded,
    identity,
    network,
    verifier,
    store,
    log,
    now,
    // Loaded when the first proof is to be checked; a failure is tried again at the next.
    argon2id: async () => {
      kernel ??= init.loadArgon2id().catch((error: unknown) => {
        kernel = undefined
        throw error
      })
      return (await kernel).hash
    },
    spawn: init.spawnMiner,
    invite: init.invite,
    fetchBeacon: init.fetchBeacon,
    mineUnasked: init.mineUnasked,
    onSecurityEvent: (report) => security.add(report),
  })
  const ports: NodePorts = {
    self,
    networkId: founded.networkId,
    signer: { author: self, sign: (bytes) => key.sign(bytes) },
    verifier,
    store,
    blocks,
    source: new PeerBlockSource(blocks, network, self),
    sandbox: createPool({ spawn: init.spawn, observe: (record) => metrics.executed(record) }),
    log,
    identity,
    admission,
    security,
    statements,
    now,
    random,
  }
  const aggregator = createAggregator({ spawn: init.spawnAggregator })
  const proofs = createProofs({ spawn: init.spawnProofs })
  let training: TrainingWorker | undefined
  const learning: LearningWorkers = {
    training: () => {
      training ??= init.spawnTraining()
      return training
    },
    aggregation: () => aggregator,
    proofs: () => proofs,
    stop: () => {
      training?.terminate()
      aggregator.close()
      proofs.close()
    },
  }
  return await Peer.start({
    learning,
    ports,
    network,
    metrics,
    settings: new Settings(store),
    platform: init.platform,
    admission,
    founded,
  })
}
