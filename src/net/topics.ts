import type { GossipSub } from '@libp2p/gossipsub'
import { LimitExceededError } from '../core/codec/errors.ts'
import { GOSSIP_BYTES_MAX } from './limits.ts'
import type { NetworkProblem } from './network.ts'

export type TopicHandler = (from: string, data: Uint8Array) => void

/** In gossipsub's class, not in its interface. */
type MeshedGossip = GossipSub & { getMeshPeers(topic: string): string[] }

/** Gossip by topic. Subscriptions outlive the host: they are made again when it starts again. */
export class Topics {
  readonly #self: string
  readonly #isKeptOut: (peer: string) => boolean
  readonly #onProblem: (problem: NetworkProblem) => void
  readonly #handlers = new Map<string, Set<TopicHandler>>()
  #pubsub: GossipSub | undefined

  constructor(init: {
    readonly self: string
    /** Peers whose publications are not heard, whoever passes them on. */
    readonly isKeptOut?: (peer: string) => boolean
    readonly onProblem: (problem: NetworkProblem) => void
  }) {
    this.#self = init.self
    this.#isKeptOut = init.isKeptOut ?? (() => false)
    this.#onProblem = init.onProblem
  }

  attach(pubsub: GossipSub): void {
    this.#pubsub = pubsub
    pubsub.addEventListener('gossipsub:message', ({ detail: { msg } }) => {
      if (msg.type === 'signed') this.#deliver(msg.topic, msg.from.toString(), msg.data)
    })
    for (const topic of this.#handlers.keys()) pubsub.subscribe(topic)
  }

  detach(): void {
    this.#pubsub = undefined
  }

  /** @throws {@link LimitExceededError} Above 64 KiB. */
  async publish(topic: string, data: Uint8Array): Promise<void> {
    if (data.byteLength > GOSSIP_BYTES_MAX) {
      const details = { field: 'data', bytes: data.byteLength, limit: GOSSIP_BYTES_MAX }
      const message = `A gossip message has at most ${GOSSIP_BYTES_MAX} bytes, this one has ${data.byteLength}`
      throw new LimitExceededError(message, details)
    }
    await this.#pubsub?.publish(topic, data)
  }

  subscribe(topic: string, handler: TopicHandler): () => void {
    const handlers = this.#handlers.get(topic) ?? new Set()
    this.#handlers.set(topic, handlers)
    handlers.add(handler)
    this.#pubsub?.subscribe(topic)
    return () => {
      handlers.delete(handler)
      if (handlers.size > 0 || this.#handlers.get(topic) !== handlers) return
      this.#handlers.delete(topic)
      this.#pubsub?.unsubscribe(topic)
    }
  }

  /** Peers in the mesh of each topic. */
  meshSizes(): Record<string, number> {
    const pubsub = this.#pubsub as MeshedGossip | undefined
    return Object.fromEntries(pubsub?.getTopics().map((topic) => [topic, pubsub.getMeshPeers(topic).length]) ?? [])
  }

  #deliver(topic: string, author: string, data: Uint8Array): void {
    if (author === this.#self || this.#isKeptOut(author)) return
    for (const handler of [...(this.#handlers.get(topic) ?? [])]) {
      try {
        handler(author, data)
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error))
        this.#onProblem({ name, message, peer: author, protocol: topic })
      }
    }
  }
}
