import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { bytes, integer, list, text } from '../core/codec/fields.ts'
import { StaleStatementError } from '../core/identity/errors.ts'
import { CLOCK_OFFSET_MAX_MS, NETWORK_CHARS_MAX, NONCE_BYTES, TIMESTAMP_WINDOW_MS } from '../core/identity/limits.ts'
import { peerIdOf, publicKeyOf } from '../core/identity/peer-id.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'
import { checkStatementNetwork, verifyStatement } from '../core/identity/statement.ts'
import { decodeAnnouncement, signAnnouncement } from '../core/routing/announcement.ts'
import { ADDRESSES_MAX, ANNOUNCEMENT_BYTES_MAX, KNOWN_TTL_MS } from '../core/routing/limits.ts'
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

/** This peer's clock against the others'. */
export interface NetworkTime {
  /** Milliseconds since 1970, corrected by the peers' clocks: what timestamps are made with and compared with. */
  readonly nowMs: number
  /** Whether enough peers have said their time. */
  readonly isKnown: boolean
}

export interface DiscoveryInit {
  readonly network: string
  readonly identity: PeerIdentity
  readonly now: () => number
  readonly networkTime: () => NetworkTime
  readonly verifier: Verifier
  /** Announcements kept, others' and for others. */
  readonly entriesMax: number
  readonly onHeard: (heard: Heard) => void
  /** An announcement that somebody passed on was refused. */
  readonly onRefused?: (error: Error) => void
}

/** Who is there: signed announcements, heard by gossip or passed on when asked. */
export class Discovery {
  readonly #init: DiscoveryInit
  readonly #entries = new Map<string, Entry>()
  readonly #signer: Signer
  readonly #verifications: TokenBucket
  /** The time of each author's newest announcement: an older one never comes back, also after its author was forgotten. */
  readonly #newest = new Map<string, number>()
  #own: Uint8Array | undefined
  #announcedAt = 0

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
    // Rises even when the clock is corrected backwards: others keep the newest.
    this.#announcedAt = Math.max(this.#announcedAt + 1, Math.round(this.#init.networkTime().nowMs))
    const { bytes: signed } = await signAnnouncement(
      { addresses: addresses.slice(0, ADDRESSES_MAX), seeking },
      {
        network: this.#init.network,
        timestampMs: this.#announcedAt,
        nonce: crypto.getRandomValues(new Uint8Array(NONCE_BYTES)),
        signer: this.#signer,
      },
    )
    this.#own = signed
    return signed
  }

  /**
   * Takes an announcement from anyone. Hearing one again is normal: they are passed on.
   *
   * @throws {@link ForeignStatementError} {@link StaleStatementError} {@link BadSignatureError} Or an error of decoding.
   */
  async accept(signed: Uint8Array): Promise<void> {
    const decoded = decodeAnnouncement(signed)
    const { author, timestampMs, body } = decoded.statement
    checkStatementNetwork(decoded.statement, this.#init.network)
    this.#checkTime(timestampMs)
    if (author === this.#signer.author) return
    const known = this.#entries.get(author)?.timestampMs ?? Number.NEGATIVE_INFINITY
    if (known >= timestampMs || (this.#newest.get(author) ?? 0) > timestampMs) return
    const now = this.#init.now()
    // Verifying costs a fifth of a millisecond; keys to sign floods with cost nothing.
    if (!this.#verifications.take(now)) return
    await verifyStatement(decoded, this.#init.verifier)
    this.#remember(author, timestampMs)
    this.#entries.delete(author)
    this.#entries.set(author, { bytes: signed, timestampMs, heardAt: now })
    if (this.#entries.size > this.#init.entriesMax) this.#entries.delete(this.#entries.keys().next().value ?? '')
    this.#init.onHeard({ peer: author, addresses: body.addresses, seeking: body.seeking })
  }

  /** A peer whose own clock may be wrong must hear of others to find that out; all it learns from them is where to dial. */
  #checkTime(timestampMs: number): void {
    const { nowMs, isKnown } = this.#init.networkTime()
    const windowMs = TIMESTAMP_WINDOW_MS + (isKnown ? 0 : CLOCK_OFFSET_MAX_MS)
    if (Math.abs(timestampMs - nowMs) <= windowMs) return
    throw new StaleStatementError(`Announcement is ${Math.round(nowMs - timestampMs)} ms old, limit ±${windowMs} ms`, {
      field: 'timestampMs',
      value: timestampMs,
      limit: windowMs,
    })
  }

  #remember(author: string, timestampMs: number): void {
    this.#newest.delete(author)
    this.#newest.set(author, timestampMs)
    if (this.#newest.size > this.#init.entriesMax * 2) this.#newest.delete(this.#newest.keys().next().value ?? '')
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
      const refused = (error: Error) => this.#init.onRefused?.(error)
      await Promise.all(announcements.map((announcement) => this.accept(announcement).catch(refused)))
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

/**
 * The verdict of libp2p's own verification, for a network without another verifier: announcements only say where to dial, so nothing
 * is agreed on because of it.
 */
export const LIBP2P_VERIFIER: Verifier = {
  verify: async (author, message, signature) => publicKeyFromRaw(publicKeyOf(author)).verify(message, signature),
}
