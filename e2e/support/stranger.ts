import { readBeacon } from '../../src/core/admission/beacon.ts'
import {
  CREDENTIALS_PROTOCOL,
  decodeCredentials,
  encodeCredentials,
  type ShownCredentials,
  type Verdict,
} from '../../src/core/admission/credentials.ts'
import { WORK_PASSES } from '../../src/core/admission/limits.ts'
import type { FoundedNetwork } from '../../src/core/admission/policy.ts'
import { encodeTicket, nonceBytes, workChallenge } from '../../src/core/admission/ticket.ts'
import type { PeerId, RootId } from '../../src/core/codec/ids.ts'
import { signCertificate } from '../../src/core/identity/certificate.ts'
import { peerIdOf } from '../../src/core/identity/peer-id.ts'
import type { Signer } from '../../src/core/identity/ports.ts'
import { createNetwork } from '../../src/net/create-network.ts'
import { createIdentity } from '../../src/net/identity.ts'
import type { Network } from '../../src/net/network.ts'
import { beaconOf, fetchRendezvous, networkOf } from '../../src/node/rendezvous.ts'
import { PlatformVerifier } from '../../src/node/verifier.ts'
import { loadArgon2id } from '../../src/workers/pow/load.node.ts'
import { until } from './until.ts'

const verifier = new PlatformVerifier()
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))

/** A peer in this process that shows its relay, and whoever it meets, whatever the test wants. */
export class Stranger {
  /** What others showed. */
  readonly seen: ShownCredentials[] = []
  readonly beacon: Uint8Array | null
  readonly #founded: FoundedNetwork
  readonly #network: Network
  readonly #relay: PeerId
  readonly #root: Signer
  readonly #verdicts: Verdict[] = []

  private constructor(parts: {
    readonly founded: FoundedNetwork
    readonly network: Network
    readonly relay: PeerId
    readonly beacon: Uint8Array | null
    readonly root: Signer
  }) {
    this.#founded = parts.founded
    this.#network = parts.network
    this.#relay = parts.relay
    this.#root = parts.root
    this.beacon = parts.beacon
    parts.network.handle(CREDENTIALS_PROTOCOL, (peer, bytes) => {
      const message = decodeCredentials(bytes)
      if (message.type === 'credentials') this.seen.push(message)
      else if (peer === this.#relay) this.#verdicts.push(message)
    })
  }

  /** Connects to the relay of a page. */
  static async join(url: string): Promise<Stranger> {
    const rendezvous = await fetchRendezvous(url)
    const founded = await networkOf(rendezvous, verifier)
    const network = createNetwork({
      networkId: founded.networkId,
      identity: await createIdentity(),
      relays: rendezvous.multiaddrs,
      environment: 'node',
    })
    const keys = await createIdentity()
    const root: Signer = { author: peerIdOf(keys.publicKey), sign: (bytes) => keys.sign(bytes) }
    const stranger = new Stranger({ founded, network, root, relay: founded.founder, beacon: beaconOf(rendezvous) })
    await network.start()
    await until('the relay', async () => network.connections().some(({ peer }) => peer === founded.founder))
    return stranger
  }

  /** A good certificate of a root of its own. */
  async identity(): Promise<Pick<ShownCredentials, 'lineage' | 'certificate'>> {
    const now = Date.now()
    const root = this.#root.author as string as RootId
    const terms = {
      root,
      device: this.#network.peerId as PeerId,
      name: 'stranger',
      issuedAtMs: now,
      expiresAtMs: now + 600_000,
    }
    const stamp = { network: this.#founded.networkId, seq: 1, nonce: random(16) }
    return { lineage: null, certificate: (await signCertificate(terms, stamp, this.#root)).bytes }
  }

  /** A good ticket, worked for here. */
  async work(): Promise<Pick<ShownCredentials, 'ticket' | 'beacon'>> {
    const kernel = await loadArgon2id()
    const { memoryKibibytes } = this.#founded.policy.work
    const beacon = await readBeacon(this.beacon as Uint8Array, this.#founded, verifier)
    const { epoch, difficultyBits } = beacon
    const root = this.#root.author as string as RootId
    const challenge = workChallenge({ networkId: this.#founded.networkId, root, beacon })
    const work = { challenge, memoryKibibytes, passes: WORK_PASSES, difficultyBits }
    for (let first = 0n; ; first += 64n) {
      const { found } = kernel.mine(work, first, 64)
      if (found === null) continue
      const ticket = encodeTicket({
        kind: 'work',
        epoch,
        memoryKibibytes,
        passes: WORK_PASSES,
        difficultyBits,
        nonce: nonceBytes(found),
      })
      return { ticket, beacon: this.beacon }
    }
  }

  /** Shows the relay these credentials; resolves with what it makes of them. */
  async show(credentials: Partial<ShownCredentials>): Promise<Verdict> {
    const before = this.#verdicts.length
    const nothing = { lineage: null, certificate: null, ticket: null, beacon: null }
    const message = { ...nothing, ...credentials, type: 'credentials', answer: false } as const
    this.#network.send(this.#relay, CREDENTIALS_PROTOCOL, encodeCredentials(message))
    await until('the verdict', async () => this.#verdicts.length > before, 20_000)
    return this.#verdicts.at(-1) as Verdict
  }

  async leave(): Promise<void> {
    await this.#network.stop()
  }
}
