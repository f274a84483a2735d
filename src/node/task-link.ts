import { StarlingError } from '../core/codec/errors.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { ReplayedStatementError } from '../core/identity/errors.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import { refusalReason } from '../core/identity/refusal.ts'
import { isKnownKind, type KnownKind } from '../core/identity/statement-kinds.ts'
import { readGossipedOffer, signGossipedOffer } from '../core/tasks/gossiped-offer.ts'
import {
  decodeTaskMessage,
  encodeTaskMessage,
  isFromRequester,
  verifyTaskMessage,
} from '../core/tasks/message-codec.ts'
import {
  type ExecutorMessage,
  OFFERS_TOPIC_PREFIX,
  type RequesterMessage,
  TASKS_PROTOCOL,
  type TaskMessage,
} from '../core/tasks/messages.ts'
import { misconductOf, publisherMisconduct } from '../core/trust/misconduct.ts'
import type { Network } from '../net/network.ts'
import { TokenBucket } from '../net/token-bucket.ts'
import type { NodePorts } from './ports.ts'
import { PublisherRates } from './publisher-rates.ts'
import type { RefusedFrom } from './statement-gate.ts'

export interface TaskLinkEvents {
  toExecutor(from: PeerId, message: RequesterMessage): void
  toRequester(from: PeerId, message: ExecutorMessage): void
  /** Something from this peer was refused before it reached a scheduler. */
  refused(from: PeerId): void
}

/** Gossiped offers verified in a second, sustained: two hundred requesters that offer every five seconds. */
const OFFERS_PER_SECOND_MAX = 40
/** Gossiped offers verified at once. */
const OFFERS_BURST_MAX = 400

/** One publisher's offers, of the same: a requester says again what it offers every five seconds and with each new job. */
const OFFERS_OF_ONE = { perSecond: 20, burst: 200 } as const
/** Own offers are held to half of that: one that is left out is said with the next. */
const OWN_OFFERS_PER_SECOND_MAX = 10
const OWN_OFFERS_BURST_MAX = 100

/** Messages of one peer, and to one, that wait until it is known whether it is admitted; further ones are dropped. */
const WAITING_MESSAGES_MAX = 256

/**
 * The edge between the schedulers and the network: encodes, decodes, verifies, and keeps each peer's messages in their order.
 * What this peer sends to itself goes around the network and is not signed for twice.
 *
 * Guests give and take no work: what they send is dropped here, and nothing is sent to them. Rule [A12].
 */
export class TaskLink {
  readonly #ports: NodePorts
  readonly #network: Network
  readonly #events: TaskLinkEvents
  readonly #topic: string
  /** The last message of each peer that is still being verified; later ones wait for it. */
  readonly #verifying = new Map<PeerId, Promise<void>>()
  /** What waits for a peer that is being met, encoded. */
  readonly #meeting = new Map<PeerId, Uint8Array[]>()
  /** What came of a peer that has not shown yet who it is. */
  readonly #waiting = new Map<PeerId, Uint8Array[]>()
  readonly #stops: (() => void)[] = []
  readonly #offers: TokenBucket
  readonly #ownOffers: TokenBucket
  readonly #publishers = new PublisherRates(OFFERS_OF_ONE)

  constructor(ports: NodePorts, network: Network, events: TaskLinkEvents) {
    this.#ports = ports
    this.#network = network
    this.#events = events
    this.#topic = OFFERS_TOPIC_PREFIX + ports.networkId
    this.#offers = new TokenBucket(OFFERS_PER_SECOND_MAX, OFFERS_BURST_MAX, ports.now())
    this.#ownOffers = new TokenBucket(OWN_OFFERS_PER_SECOND_MAX, OWN_OFFERS_BURST_MAX, ports.now())
  }

  start(): void {
    this.#stops.push(
      this.#network.handle(TASKS_PROTOCOL, (peer, bytes) => this.#receive(peer, bytes)),
      this.#network.subscribe(this.#topic, (peer, bytes) => void this.#hear(peer, bytes)),
    )
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  send(peer: PeerId, message: TaskMessage): void {
    if (peer === this.#ports.self) {
      // In a turn of its own: a machine must not be stepped from within its own effects.
      queueMicrotask(() => this.#deliver(peer, message))
      return
    }
    const bytes = encodeTaskMessage(message)
    const meeting = this.#meeting.get(peer)
    if (meeting !== undefined) {
      if (meeting.length < WAITING_MESSAGES_MAX) meeting.push(bytes)
    } else if (this.#ports.admission.admitted(peer) !== null) {
      this.#transmit(peer, bytes)
    } else {
      this.#meet(peer, bytes)
    }
  }

  #meet(peer: PeerId, first: Uint8Array): void {
    const waiting = [first]
    this.#meeting.set(peer, waiting)
    void this.#ports.admission.meet(peer).then((root) => {
      this.#meeting.delete(peer)
      if (root !== null) for (const bytes of waiting) this.#transmit(peer, bytes)
    })
  }

  #transmit(peer: PeerId, bytes: Uint8Array): void {
    try {
      this.#network.send(peer, TASKS_PROTOCOL, bytes)
    } catch (error) {
      // The protocol repeats itself; a full queue or a peer that just left is not news.
      this.#ports.log.write('debug', 'tasks', `Could not send a message: ${describe(error)}`)
    }
  }

  broadcast(message: RequesterMessage): void {
    queueMicrotask(() => this.#events.toExecutor(this.#ports.self, message))
    if (!this.#ownOffers.take(this.#ports.now())) return
    this.#publish(message).catch((error: unknown) => {
      this.#ports.log.write('debug', 'tasks', `Could not publish an offer: ${describe(error)}`)
    })
  }

  async #publish(message: RequesterMessage): Promise<void> {
    const { statements, signer } = this.#ports
    const bytes = await signGossipedOffer(message, { ...(await statements.stamp()), signer })
    await this.#network.publish(this.#topic, bytes)
  }

  #receive(from: string, bytes: Uint8Array): void {
    if (!isPeerId(from)) return
    const { admission } = this.#ports
    const waiting = this.#waiting.get(from)
    if (waiting !== undefined) {
      if (waiting.length < WAITING_MESSAGES_MAX) waiting.push(bytes)
    } else if (admission.admitted(from) !== null) {
      this.#take(from, bytes)
    } else {
      const first = [bytes]
      this.#waiting.set(from, first)
      void admission.meet(from).then((root) => {
        this.#waiting.delete(from)
        if (root !== null) for (const each of first) this.#take(from, each)
      })
    }
  }

  #take(from: PeerId, bytes: Uint8Array): void {
    let decoded: ReturnType<typeof decodeTaskMessage>
    try {
      decoded = decodeTaskMessage(bytes)
    } catch (error) {
      this.#refuseMessage(from, error, bytes)
      return
    }
    const before = this.#verifying.get(from)
    if (before === undefined && decoded.statements.length === 0) {
      this.#deliver(from, decoded.message)
      return
    }
    // Verification starts at once and in parallel; only the delivery waits for its turn.
    const { verifier, networkId: network } = this.#ports
    const verified = verifyTaskMessage(decoded, { from, network, verifier }).then(
      () => true,
      (error: unknown) => {
        this.#refuseMessage(from, error, bytes)
        return false
      },
    )
    const turn: Promise<void> = Promise.all([before, verified]).then(([, good]) => {
      if (this.#verifying.get(from) === turn) this.#verifying.delete(from)
      if (good) this.#deliver(from, decoded.message)
    })
    this.#verifying.set(from, turn)
  }

  /** The word of a stranger is heard: answering it means meeting it first. Whoever passes an offer on is not its author. */
  async #hear(from: string, bytes: Uint8Array): Promise<void> {
    if (!isPeerId(from)) return
    const { admission, statements } = this.#ports
    let author: PeerId | null = null
    try {
      const { decoded, message } = readGossipedOffer(bytes)
      author = decoded.statement.author
      // Gossip does not hand back what this peer published: somebody else did.
      if (author === this.#ports.self) throw new ReplayedStatementError('An own offer was told again by another')
      if (admission.admitted(author) === null && !admission.isStranger(author)) return
      // Before it counts against its publisher: what is fresh and new cannot have been told by others first.
      statements.check(decoded)
      if (!this.#publishers.take(from, this.#ports.now())) return this.#refuseFlood(from, bytes)
      // The requester says it again in some seconds; keys to sign floods with cost nothing.
      if (!this.#offers.take(this.#ports.now())) return
      await statements.admit(decoded)
      this.#events.toExecutor(author, message)
    } catch (error) {
      this.#refuse(from, error, {
        kind: 'offer',
        evidence: bytes,
        misconduct: publisherMisconduct(error, { publisher: from, author }),
      })
    }
  }

  #refuseFlood(from: PeerId, evidence: Uint8Array): void {
    const message = `Publishes more than ${OFFERS_OF_ONE.perSecond} offers a second; the rest is dropped`
    this.#ports.security.add({ type: 'rate-exceeded', peerId: from, message, evidence: [evidence], misconduct: 'rate' })
  }

  #deliver(from: PeerId, message: TaskMessage): void {
    if (isFromRequester(message)) this.#events.toExecutor(from, message)
    else this.#events.toRequester(from, message)
  }

  /** The link proves who sent it, so all that is wrong with it is its sender's. */
  #refuseMessage(from: PeerId, error: unknown, evidence: Uint8Array): void {
    this.#refuse(from, error, { kind: kindOf(error), evidence, misconduct: misconductOf(error) })
  }

  #refuse(from: PeerId, error: unknown, what: Omit<RefusedFrom, 'from'>): void {
    this.#ports.log.write('warn', 'tasks', `Refused a message of ${from.slice(-6)}: ${describe(error)}`)
    this.#ports.statements.refuse(error, { from, ...what })
    // A clock that is off is no ill will.
    if (refusalReason(error) !== 'stale') this.#events.refused(from)
  }
}

/** Which statement of a message an error is about, by the field it names. */
function kindOf(error: unknown): KnownKind | 'message' {
  const field = error instanceof StarlingError ? String(error.details.field ?? '') : ''
  const kind = field.split('.')[0] ?? ''
  return isKnownKind(kind) ? kind : 'message'
}

/** An error in one line, its name first. */
export function describe(error: unknown): string {
  if (error instanceof StarlingError || error instanceof Error) return `${error.name}: ${error.message}`
  return String(error)
}
