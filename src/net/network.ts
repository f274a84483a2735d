/**
 * What a peer needs of the network, and nothing of how it is done: no libp2p type crosses this file.
 *
 * Peer ids are libp2p's text form (base58 of the public key's multihash), addresses are multiaddrs as text.
 */

import type { Verifier } from '../core/identity/ports.ts'
import type { RefusalReason } from '../core/identity/refusal.ts'
import type { KnownKind } from '../core/identity/statement-kinds.ts'
import type { Misconduct } from '../core/trust/misconduct.ts'

/** Signs for this peer; the key itself may be a WebCrypto key that can never be read. */
export interface PeerIdentity {
  /** The raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** An Ed25519 signature (64 bytes) of the bytes as they are. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** Wall-clock time in milliseconds since 1970; a test may hand in its own. */
export interface NetworkClock {
  now(): number
}

/** Where the network's own log lines go; `details` never holds bytes from the network. */
export interface NetworkLogger {
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: Readonly<Record<string, unknown>>): void
}

/**
 * The RTC classes a worker borrows from the window, made by `connectRtc` of `rtc/worker.ts`.
 * `stop` closes everything that was made through it.
 */
export interface RtcProvider {
  readonly RTCPeerConnection: typeof globalThis.RTCPeerConnection
  readonly RTCSessionDescription: typeof globalThis.RTCSessionDescription
  readonly RTCIceCandidate: typeof globalThis.RTCIceCandidate
  budget(): RtcBudget
  stop(): void
}

/** Browsers allow a tab a fixed number of RTCPeerConnections, closed ones counted until they are collected. */
export interface RtcBudget {
  /** Made and not yet known to be collected; what counts against the limit. */
  readonly used: number
  /** Of these, not closed. */
  readonly open: number
  /** Ever made in this tab. */
  readonly created: number
  /** No new dial is started at this many. */
  readonly limit: number
  /** How the bytes of data channels reach the worker. */
  readonly channels: 'native' | 'transferred' | 'forwarded'
}

export type NetworkEnvironment = 'browser-worker' | 'node'

export interface NetworkInit {
  /** Peers of another network id are never dialled; part of every topic and announcement. */
  readonly networkId: string
  readonly identity: PeerIdentity
  /** Multiaddrs of relays (with `/p2p/`), or the URL of a page whose `/.well-known/starling.json` lists them. */
  readonly relays: readonly string[]
  readonly environment: NetworkEnvironment
  /** Needed in a browser worker; Node has its own WebRTC. */
  readonly rtc?: RtcProvider
  readonly logger?: NetworkLogger
  readonly clock?: NetworkClock
  /** Decides about signatures of announcements. @default libp2p's own verification */
  readonly verifier?: Verifier
  /** Direct peers to aim for. @default 6 */
  readonly targetDegree?: number
  /** Direct peers at which no inbound link is welcome any more. @default 20 */
  readonly degreeMax?: number
  /** STUN and TURN servers; empty keeps everything on the local network. @default [] */
  readonly iceServers?: readonly RTCIceServer[]
  /** Shown to other peers. @default 'starling' */
  readonly agent?: string
  /** Node peers only: addresses to listen on, such as `/ip4/127.0.0.1/udp/0/webrtc-direct`. @default [] */
  readonly listen?: readonly string[]
  /** Keeps one subnet's addresses from being all neighbours; absent: no limits. Rule [A15]. */
  readonly diversity?: { readonly sharePpm: number; readonly exemptPrivate: boolean }
  /** For tests: leaves libp2p's dial race as it is. @default true */
  readonly dialRaceGuard?: boolean
}

/** One connected peer, by its best connection. */
export interface PeerConnection {
  readonly peer: string
  readonly path: 'direct' | 'relayed'
  readonly transport: 'webrtc' | 'webrtc-direct' | 'webtransport' | 'websocket' | 'circuit' | 'other'
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddress: string
  /** True for the relays this peer uses. */
  readonly relay: boolean
  /** Milliseconds of the last ping; absent before the first. */
  readonly rttMs?: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Bytes per second over the last few seconds. */
  readonly rateIn: number
  readonly rateOut: number
  /** Milliseconds since 1970. */
  readonly since: number
  readonly agent?: string
  readonly lastError?: string
}

/** One sentence each in the interface; `reason` says why when the state is not `meshed`. */
export type NetworkState = 'stopped' | 'offline' | 'connecting-relay' | 'relayed' | 'meshing' | 'meshed'

export type NetworkReason =
  | 'none'
  | 'not-started'
  | 'network-lost'
  | 'no-relay-configured'
  | 'relay-unreachable'
  | 'relay-full'
  | 'relay-lost'
  | 'waking-up'
  | 'no-other-peer'
  | 'dialling'
  | 'dials-failing'
  | 'rtc-budget-used'

export interface RelayStatus {
  readonly address: string
  readonly peer?: string
  readonly state: 'idle' | 'connecting' | 'reserving' | 'reserved' | 'full' | 'failed'
  /** Milliseconds since 1970 when the reservation ends unless renewed. */
  readonly expiresAt?: number
  /** Milliseconds since 1970 of the next attempt, while `full` or `failed`. */
  readonly retryAt?: number
  readonly lastError?: string
}

export interface NetworkStatus {
  readonly state: NetworkState
  readonly reason: NetworkReason
  /** Milliseconds since 1970 of the last change of `state`. */
  readonly since: number
  readonly peers: number
  readonly direct: number
  readonly relayed: number
  readonly targetDegree: number
  /** Peers heard of that could be dialled. */
  readonly known: number
  readonly relays: readonly RelayStatus[]
  readonly rtc: RtcBudget
  readonly dials: {
    readonly started: number
    readonly succeeded: number
    readonly failed: number
    readonly firstTrySucceeded: number
    readonly inFlight: number
  }
  /** Peers in the gossip mesh, by topic. */
  readonly gossip: Readonly<Record<string, number>>
  /** Other peers' clocks minus ours, the middle one, in milliseconds; absent until enough peers have said. */
  readonly clockOffsetMs?: number
  /** The clocks differ by more than is corrected: this device's is wrong, or most peers lie. */
  readonly clockImplausible?: boolean
}

export interface FetchOptions {
  readonly signal?: AbortSignal
  /** The block is refused above this size. */
  readonly bytesMax: number
  readonly onProgress?: (progress: { readonly bytes: number; readonly total: number; readonly peer: string }) => void
}

/** A figure for Prometheus or a plot; names are snake_case with the unit last. */
export interface MetricSample {
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  readonly help: string
  readonly value: number
  readonly labels?: Readonly<Record<string, string>>
}

/** What went wrong without a caller to throw at. `name` is the error's stable name. */
export interface NetworkProblem {
  readonly name: string
  readonly message: string
  readonly peer?: string
  readonly protocol?: string
  /** Set when it is a signed statement that was refused. */
  readonly refused?: { readonly kind: KnownKind; readonly reason: RefusalReason }
  /** Set when it is surely the doing of `peer`, and no honest peer does it; with what was refused. */
  readonly misconduct?: Misconduct
  readonly evidence?: Uint8Array
}

export interface NetworkEvents {
  /** The first connection to a peer is up. */
  'peer:connect': { readonly peer: string; readonly path: 'direct' | 'relayed' }
  /** The best connection to a linked peer is of another kind than before. */
  'peer:path': { readonly peer: string; readonly path: 'direct' | 'relayed' }
  /** The last connection to a peer is gone; what was queued for it is dropped. */
  'peer:disconnect': { readonly peer: string }
  status: NetworkStatus
  error: NetworkProblem
}

/**
 * One peer's network. Every method but `start` and `stop` may be called in any state.
 */
export interface Network {
  readonly peerId: string
  /** Resolves when the host runs; never waits for a relay, and never throws because one is down. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Addresses at which other peers can dial this one. */
  multiaddrs(): string[]

  /**
   * Announces to everyone subscribed.
   *
   * @throws {@link LimitExceededError} Above 64 KiB.
   */
  publish(topic: string, data: Uint8Array): Promise<void>
  /** Calls `handler` with the author of each message, never with our own. Returns the unsubscribe. */
  subscribe(topic: string, handler: (from: string, data: Uint8Array) => void): () => void

  /**
   * Queues a message to a peer: in order, over one long-lived stream for each protocol, opened again when it breaks.
   * What cannot be delivered is reported by the `error` event; a sender who needs certainty waits for an answer.
   *
   * @throws {@link LimitExceededError} If the message is over 4 MiB or the peer's queue is full.
   */
  send(peer: string, protocol: string, message: Uint8Array): void
  /** Receives the messages that peers `send`; one handler for each protocol. Returns the unhandle. */
  handle(protocol: string, handler: (peer: string, message: Uint8Array) => void): () => void

  /**
   * Pulls a content-addressed block, from each of `from` in turn until it is whole, and checks it against its CID.
   *
   * @throws {@link BlockUnavailableError} When none of them has it, {@link LimitExceededError} when it is too large.
   */
  fetchBlock(cid: string, from: readonly string[], options: FetchOptions): Promise<Uint8Array>
  /** Answers other peers' fetches. Returns the stop. */
  serveBlocks(source: (cid: string) => Promise<Uint8Array | undefined>): () => void

  connections(): PeerConnection[]
  status(): NetworkStatus
  /** What is to be added to this peer's clock for timestamps that others compare with theirs, milliseconds. */
  clockCorrectionMs(): number
  on<K extends keyof NetworkEvents>(event: K, listener: (detail: NetworkEvents[K]) => void): () => void
  /** Dials a multiaddr or a known peer id now, beside the upkeep of the mesh. */
  dial(addressOrPeer: string): Promise<void>
  /** From now on peers of whom this says so are neither dialled nor let in; replaces what was said before. */
  keepOut(isKeptOut: (peer: string) => boolean): void
  /** From now on the clocks of those of whom this says so count before others'; replaces what was said before. */
  believeClocks(isAdmitted: (peer: string) => boolean): void
  /** Ends all links to a peer now. Nothing keeps it, or us, from dialling again. */
  disconnect(peer: string): void
  /** Tells the network what only the window knows: `online` and `offline` events, and that the page came back. */
  hint(event: 'online' | 'offline' | 'visible'): void
  metrics(): MetricSample[]
}
