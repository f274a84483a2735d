import { StarlingError } from '../core/codec/errors.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import {
  decodeGossipedOffer,
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
import type { Network } from '../net/network.ts'
import type { NodePorts } from './ports.ts'

export interface TaskLinkEvents {
  toExecutor(from: PeerId, message: RequesterMessage): void
  toRequester(from: PeerId, message: ExecutorMessage): void
  /** Something from this peer was refused before it reached a scheduler. */
  refused(from: PeerId): void
}

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

  constructor(ports: NodePorts, network: Network, events: TaskLinkEvents) {
    this.#ports = ports
    this.#network = network
    this.#events = events
    this.#topic = OFFERS_TOPIC_PREFIX + ports.networkId
  }

  start(): void {
    this.#stops.push(
      this.#network.handle(TASKS_PROTOCOL, (peer, bytes) => this.#receive(peer, bytes)),
      this.#network.subscribe(this.#topic, (peer, bytes) => this.#hear(peer, bytes)),
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
    this.#network.publish(this.#topic, encodeTaskMessage(message)).catch((error: unknown) => {
      this.#ports.log.write('debug', 'tasks', `Could not publish an offer: ${describe(error)}`)
    })
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
      this.#refuse(from, error)
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
        this.#refuse(from, error)
        return false
      },
    )
    const turn: Promise<void> = Promise.all([before, verified]).then(([, good]) => {
      if (this.#verifying.get(from) === turn) this.#verifying.delete(from)
      if (good) this.#deliver(from, decoded.message)
    })
    this.#verifying.set(from, turn)
  }

  /** The word of a stranger is heard: answering it means meeting it first. */
  #hear(from: string, bytes: Uint8Array): void {
    if (!isPeerId(from)) return
    const { admission } = this.#ports
    if (admission.admitted(from) === null && !admission.isStranger(from)) return
    try {
      this.#events.toExecutor(from, decodeGossipedOffer(bytes))
    } catch (error) {
      this.#refuse(from, error)
    }
  }

  #deliver(from: PeerId, message: TaskMessage): void {
    if (isFromRequester(message)) this.#events.toExecutor(from, message)
    else this.#events.toRequester(from, message)
  }

  #refuse(from: PeerId, error: unknown): void {
    this.#ports.log.write('warn', 'tasks', `Refused a message of ${from.slice(-6)}: ${describe(error)}`)
    this.#events.refused(from)
  }
}

/** An error in one line, its name first. */
export function describe(error: unknown): string {
  if (error instanceof StarlingError || error instanceof Error) return `${error.name}: ${error.message}`
  return String(error)
}
