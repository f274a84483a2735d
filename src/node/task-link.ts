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

/**
 * The edge between the schedulers and the network: encodes, decodes, verifies, and keeps each peer's messages in their order.
 * What this peer sends to itself goes around the network and is not signed for twice.
 */
export class TaskLink {
  readonly #ports: NodePorts
  readonly #network: Network
  readonly #events: TaskLinkEvents
  readonly #topic: string
  /** The last message of each peer that is still being verified; later ones wait for it. */
  readonly #verifying = new Map<PeerId, Promise<void>>()
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
    try {
      this.#network.send(peer, TASKS_PROTOCOL, encodeTaskMessage(message))
    } catch (error) {
      // The protocol repeats itself; a full queue or a peer that just left is not news.
      this.#ports.log.write('debug', 'tasks', `Could not send ${message.type}: ${describe(error)}`)
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

  #hear(from: string, bytes: Uint8Array): void {
    if (!isPeerId(from)) return
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
