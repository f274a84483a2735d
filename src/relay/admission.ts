import { join } from 'node:path'
import { KnownIdentities } from '../core/admission/known-identities.ts'
import { encodeTicket } from '../core/admission/ticket.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import type { Signer } from '../core/identity/ports.ts'
import type { NetworkLogger, PeerIdentity } from '../net/network.ts'
import type { RelayAdmissionInit } from '../net/relay-admission.ts'
import { PlatformVerifier } from '../node/verifier.ts'
import { LineageRecords } from '../storage/lineage-records.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { loadArgon2id } from '../workers/pow/load.node.ts'
import { BeaconKeeper } from './beacon-keeper.ts'
import { type Founding, findOrFound, type PolicyWish } from './founding.ts'

/** The relay's side of admission: its network, its beacons, and how it judges who connects. */
export interface RelayGate {
  readonly founding: Founding
  readonly beacons: BeaconKeeper
  readonly host: RelayAdmissionInit
  /** Closes what it keeps. */
  close(): Promise<void>
}

export async function openGate(
  identity: PeerIdentity,
  init: {
    readonly dataDir: string | null
    readonly wish: PolicyWish
    readonly guestPlacesMax?: number
    readonly logger?: NetworkLogger
  },
): Promise<RelayGate> {
  const verifier = new PlatformVerifier()
  const now = () => Date.now()
  const founder: Signer = { author: peerIdOf(identity.publicKey), sign: (bytes) => identity.sign(bytes) }
  let loading: ReturnType<typeof loadArgon2id> | undefined
  const kernel = (): ReturnType<typeof loadArgon2id> => (loading ??= loadArgon2id())
  const { dataDir, wish } = init
  const founding = await findOrFound(dataDir, { wish, founder, verifier, nowMs: now() })
  const { network } = founding
  const store = dataDir === null ? new MemoryStore() : new SqliteStore(join(dataDir, 'relay.sqlite'))
  const lineages = new LineageRecords(store)
  const identities = new KnownIdentities({
    network,
    verifier,
    onLearned: (root, lineage) => {
      lineages.save(root, lineage).catch((error: unknown) => {
        init.logger?.log('warn', 'lineage not kept', { root, message: String(error) })
      })
    },
  })
  identities.restore(await lineages.all())
  const beacons = new BeaconKeeper({ network, founder, verifier, dataDir, now })
  const own = { lineage: null, certificate: null, ticket: encodeTicket({ kind: 'founder' }), beacon: null }
  const host: RelayAdmissionInit = {
    network,
    verifier,
    argon2id: async () => (await kernel()).hash,
    // A relay that did not found its network shows nothing: nobody gives it work anyway.
    own: () => (founder.author === network.founder ? own : { ...own, ticket: null }),
    rootOf: (device, shown) => identities.rootOf(device, shown, now()),
    onAdmitted: (_peer, { means, root }) => {
      if (means === 'work') beacons.admitted(root)
    },
    onRefused: (peer, error) =>
      init.logger?.log('debug', 'credentials refused', { peer, name: error.name, message: error.message }),
    ...(init.guestPlacesMax !== undefined && { guestPlacesMax: init.guestPlacesMax }),
  }
  return { founding, beacons, host, close: () => store.close() }
}
