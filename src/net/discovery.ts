import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { InvalidMessageError } from '../core/codec/errors.ts'
import { bytes, integer, list, text } from '../core/codec/fields.ts'
import { NETWORK_CHARS_MAX, NONCE_BYTES } from '../core/identity/limits.ts'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'
import { verifyStatement } from '../core/identity/statement.ts'
import { decodeAnnouncement, signAnnouncement } from '../core/routing/announcement.ts'
import { ADDRESSES_MAX, ANNOUNCEMENT_BYTES_MAX, ANNOUNCEMENT_WINDOW_MS, KNOWN_TTL_MS } from '../core/routing/limits.ts'
import {
  ANNOUNCEMENTS_BURST_MAX,
  ANNOUNCEMENTS_PER_SECOND_MAX,
  EXCHANGE_PEERS_MAX,
  EXCHANGE_TIMEOUT_MS,
} from './limits.ts'
import type { PeerIdentity } from './network.ts'
import { TokenBucket } from './token-bucket.ts'

/** Asking a peer whom it knows. */
export const PEERS_PROTOCOL = '/starling/peers/1.0.0'

/** Where peers announce themselves; relays take part so that a tab alone with one hears of the others. */
export function announcementTopic(networkId: string): string {
  return `/starling/${networkId}/peers/1`
}

const requestSchema = v.strictObject({
  network: text(1, NETWORK_CHARS_MAX),
  peersMax: integer(1, EXCHANGE_PEERS_MAX),
})

const responseSchema = list(bytes(1, ANNOUNCEMENT_BYTES_MAX), 0, EXCHANGE_PEERS_MAX)
const REQUEST_BYTES_MAX = 256
const RESPONSE_BYTES_MAX = EXCHANGE_PEERS_MAX * (ANNOUNCEMENT_BYTES_MAX + 8)

interface Entry {
  readonly bytes: Uint8Array
  readonly timestampMs: number
  readonly heardAt: number
}

export interface Heard {
  readonly peer: string
  readonly addresses: readonly string[]
  readonly seeking: boolean
}

export interface DiscoveryInit {
  readonly network: string
  readonly identity: PeerIdentity
  readonly now: () => number
  /** Announcements kept, others' and for others. */
  readonly entriesMax: number
  readonly onHeard: (heard: Heard) => void
}

/** Who is there: signed announcements, heard by gossip or passed on when asked. */
export class Discovery {
  readonly #init: DiscoveryInit
  readonly #entries = new Map<string, Entry>()
  readonly #signer: Signer
  readonly #verifications: TokenBucket
  #own: Uint8Array | undefined

  constructor(init: DiscoveryInit) {
    this.#init = init
    this.#signer = { author: peerIdOf(init.identity.publicKey), sign: (message) => init.identity.sign(message) }
    this.#verifications = new TokenBucket(ANNOUNCEMENTS_PER_SECOND_MAX, ANNOUNCEMENTS_BURST_MAX, init.now())
  }

  /** Peers heard of lately. */
  get size(): number {
    return this.#entries.size
  }

  /** Signs what we say about ourselves; also passed on to whoever asks. */
  async announce(addresses: readonly string[], seeking: boolean): Promise<Uint8Array> {
    const { bytes: signed } = await signAnnouncement(
      { addresses: addresses.slice(0, ADDRESSES_MAX), seeking },
      {
        network: this.#init.network,
        timestampMs: Math.round(this.#init.now()),
        nonce: crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
        signer: this.#signer,
      },
    )
    this.#own = signed
    return signed
  }

  /**
   * Takes an announcement from anyone.
   *
   * @throws {@link InvalidMessageError} Or a limit, signature or time error, when it is refused.
   */
  async accept(signed: Uint8Array): Promise<void> {
    const decoded = decodeAnnouncement(signed)
    const { network, author, timestampMs, body } = decoded.statement
    if (network !== this.#init.network) {
      throw new InvalidMessageError('Announcement is of another network', { field: 'network', value: network })
    }
    const now = this.#init.now()
    if (Math.abs(timestampMs - now) > ANNOUNCEMENT_WINDOW_MS) {
      const details = { field: 'timestampMs', value: timestampMs, limit: ANNOUNCEMENT_WINDOW_MS }
      throw new InvalidMessageError('Announcement is from another time', details)
    }
    if (author === this.#signer.author) return
    const before = this.#entries.get(author)
    if (before !== undefined && before.timestampMs >= timestampMs) return
    // Verifying costs a fifth of a millisecond; keys to sign floods with cost nothing.
    if (!this.#verifications.take(now)) return
    await verifyStatement(decoded, verifier)
    this.#entries.delete(author)
    this.#entries.set(author, { bytes: signed, timestampMs, heardAt: now })
    if (this.#entries.size > this.#init.entriesMax) this.#entries.delete(this.#entries.keys().next().value ?? '')
    this.#init.onHeard({ peer: author, addresses: body.addresses, seeking: body.seeking })
  }

  forget(peer: string): void {
    this.#entries.delete(peer)
  }

  /** Asks over a fresh stream whom the other side knows, and takes what it says. */
  async ask(stream: Stream): Promise<void> {
    const signal = AbortSignal.timeout(EXCHANGE_TIMEOUT_MS)
    try {
      const frames = lpStream(stream, { maxDataLength: RESPONSE_BYTES_MAX })
      await frames.write(encode({ network: this.#init.network, peersMax: EXCHANGE_PEERS_MAX }), { signal })
      const response = await frames.read({ signal })
      const limits = { bytesMax: RESPONSE_BYTES_MAX, depthMax: 1, itemsMax: EXCHANGE_PEERS_MAX + 1 }
      const announcements = decode(response.subarray(), { what: 'peers', limits, schema: responseSchema })
      // One bad announcement says nothing about the others: they are not by whoever passes them on.
      await Promise.allSettled(announcements.map((announcement) => this.accept(announcement)))
      await stream.close({ signal })
    } catch (error) {
      stream.abort(error as Error)
      throw error
    }
  }

  /** Answers somebody else's {@link ask}. */
  async answer(stream: Stream): Promise<void> {
    const signal = AbortSignal.timeout(EXCHANGE_TIMEOUT_MS)
    try {
      const frames = lpStream(stream, { maxDataLength: REQUEST_BYTES_MAX })
      const limits = { bytesMax: REQUEST_BYTES_MAX, depthMax: 1, itemsMax: 8 }
      const request = await frames.read({ signal })
      const { network, peersMax } = decode(request.subarray(), { what: 'peers', limits, schema: requestSchema })
      await frames.write(encode(network === this.#init.network ? this.#fresh(peersMax) : []), { signal })
      await stream.close({ signal })
    } catch (error) {
      stream.abort(error as Error)
      throw error
    }
  }

  /** The freshest, our own among them. */
  #fresh(peersMax: number): Uint8Array[] {
    const now = this.#init.now()
    const fresh: Uint8Array[] = this.#own === undefined ? [] : [this.#own]
    // Entries are in the order in which they were heard.
    for (const [peer, entry] of [...this.#entries].reverse()) {
      if (now - entry.heardAt > KNOWN_TTL_MS) this.#entries.delete(peer)
      else if (fresh.length < peersMax) fresh.push(entry.bytes)
    }
    return fresh
  }
}

/** Announcements only say where to dial, so the platform's verdict is enough: nothing is agreed on because of it. */
const verifier: Verifier = {
  verify: async (author, message, signature) => publicKeyFromRaw(publicKeyOf(author)).verify(message, signature),
}
