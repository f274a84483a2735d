import { sha256Hex } from '../core/codec/hash.ts'
import type { LearningTaskId, PeerId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import { signStatement } from '../core/identity/statement.ts'
import { BUNDLE_BYTES_MAX, BUNDLE_STATEMENTS_MAX } from '../core/learning/limits.ts'
import {
  decodeLearningMessage,
  decodeLearningStatement,
  encodeLearningMessage,
} from '../core/learning/message-codec.ts'
import {
  LEARNING_PROTOCOL,
  LEARNING_ROUNDS_TOPIC_PREFIX,
  LEARNING_TASKS_TOPIC_PREFIX,
  type LearningMessage,
  type LearningStatement,
  type RoundMessage,
  type SumMessage,
  type SumsMessage,
} from '../core/learning/messages.ts'
import type { StatementDraft } from '../core/learning/round-events.ts'
import { misconductOf } from '../core/trust/misconduct.ts'
import type { Network } from '../net/network.ts'
import type { NodePorts } from './ports.ts'
import { describe } from './task-link.ts'

export interface LearningLinkEvents {
  /** Statements in it are verified. */
  message(from: PeerId, message: RoundMessage): void
  /** Statements in it are verified. */
  sums(from: PeerId, message: SumsMessage): void
  /** Signed tasks, not yet verified. */
  tasks(from: PeerId, tasks: readonly Uint8Array[]): void
  isBarred(peer: PeerId): boolean
}

/** Statements whose signature was found good; the same ones come again and again while a round lasts. */
const VERIFIED_MAX = 20_000

/** The edge between the rounds and the network: encodes, decodes, verifies and signs, and keeps each sender's messages in their order. */
export class LearningLink {
  readonly #ports: NodePorts
  readonly #network: Network
  readonly #events: LearningLinkEvents
  readonly #verified = new Set<string>()
  readonly #turns = new Map<PeerId, Promise<void>>()
  readonly #topics = new Map<LearningTaskId, () => void>()
  readonly #stops: (() => void)[] = []

  constructor(ports: NodePorts, network: Network, events: LearningLinkEvents) {
    this.#ports = ports
    this.#network = network
    this.#events = events
  }

  start(): void {
    this.#stops.push(
      this.#network.handle(LEARNING_PROTOCOL, (peer, bytes) => this.#receive(peer, bytes)),
      this.#network.subscribe(this.#tasksTopic, (peer, bytes) => this.#receive(peer, bytes)),
    )
  }

  stop(): void {
    for (const leave of this.#topics.values()) leave()
    this.#topics.clear()
    for (const stop of this.#stops.splice(0)) stop()
  }

  /** Hears the rounds of a task from now on. */
  follow(task: LearningTaskId): void {
    if (this.#topics.has(task)) return
    this.#topics.set(
      task,
      this.#network.subscribe(this.#roundsTopic(task), (peer, bytes) => this.#receive(peer, bytes)),
    )
  }

  unfollow(task: LearningTaskId): void {
    this.#topics.get(task)?.()
    this.#topics.delete(task)
  }

  publish(message: RoundMessage): void {
    this.#publish(this.#roundsTopic(message.task), message)
  }

  /** Split so that each message is small enough for gossip. */
  publishSum({ task, statements }: SumMessage): void {
    let part: SumMessage['statements'][number][] = []
    let bytes = 0
    const flush = () => {
      if (part.length > 0) this.#publish(this.#roundsTopic(task), { type: 'sum', task, statements: part })
      part = []
      bytes = 0
    }
    for (const statement of statements) {
      const size = statement.decoded.bytes.length
      if (bytes + size > BUNDLE_BYTES_MAX || part.length >= BUNDLE_STATEMENTS_MAX) flush()
      part.push(statement)
      bytes += size
    }
    flush()
  }

  publishTasks(tasks: readonly Uint8Array[]): void {
    this.#publish(this.#tasksTopic, { type: 'tasks', tasks })
  }

  send(peer: PeerId, message: LearningMessage): void {
    try {
      this.#network.send(peer, LEARNING_PROTOCOL, encodeLearningMessage(message))
    } catch (error) {
      // The rounds repeat themselves.
      this.#ports.log.write('debug', 'learning', `Could not send ${message.type}: ${describe(error)}`)
    }
  }

  async sign(draft: StatementDraft): Promise<LearningStatement> {
    const stamp = await this.#ports.statements.stamp()
    const { bytes } = await signStatement<unknown>({ ...stamp, ...draft }, this.#ports.signer)
    return decodeLearningStatement(draft.kind, bytes).statement
  }

  get #tasksTopic(): string {
    return LEARNING_TASKS_TOPIC_PREFIX + this.#ports.networkId
  }

  #roundsTopic(task: LearningTaskId): string {
    return `${LEARNING_ROUNDS_TOPIC_PREFIX}${this.#ports.networkId}/${task}`
  }

  #publish(topic: string, message: LearningMessage): void {
    this.#network.publish(topic, encodeLearningMessage(message)).catch((error: unknown) => {
      this.#ports.log.write('debug', 'learning', `Could not publish ${message.type}: ${describe(error)}`)
    })
  }

  #receive(from: string, bytes: Uint8Array): void {
    if (!isPeerId(from) || this.#events.isBarred(from)) return
    let decoded: ReturnType<typeof decodeLearningMessage>
    try {
      decoded = decodeLearningMessage(bytes)
    } catch (error) {
      return this.#refuse(from, error)
    }
    const { message, statements } = decoded
    const fresh = statements.filter((statement) => !this.#verified.has(sha256Hex(statement.bytes)))
    const before = this.#turns.get(from)
    if (before === undefined && fresh.length === 0) return this.#deliver(from, message)
    const good = Promise.all(fresh.map((statement) => this.#ports.statements.admit(statement))).then(
      () => true,
      (error: unknown) => {
        this.#refuse(from, error)
        return false
      },
    )
    const turn: Promise<void> = Promise.all([before, good]).then(([, admitted]) => {
      if (this.#turns.get(from) === turn) this.#turns.delete(from)
      if (!admitted) return
      for (const statement of fresh) this.#remember(sha256Hex(statement.bytes))
      this.#deliver(from, message)
    })
    this.#turns.set(from, turn)
  }

  #remember(hash: string): void {
    this.#verified.add(hash)
    if (this.#verified.size <= VERIFIED_MAX) return
    for (const oldest of this.#verified) {
      this.#verified.delete(oldest)
      return
    }
  }

  #deliver(from: PeerId, message: LearningMessage): void {
    if (message.type === 'tasks') this.#events.tasks(from, message.tasks)
    else if (message.type === 'sum' || message.type === 'sumWant') this.#events.sums(from, message)
    else this.#events.message(from, message)
  }

  #refuse(from: PeerId, error: unknown): void {
    this.#ports.log.write('warn', 'learning', `Refused a message of ${from.slice(-6)}: ${describe(error)}`)
    this.#ports.statements.refuse(error, { from, kind: 'message', misconduct: misconductOf(error) })
  }
}
