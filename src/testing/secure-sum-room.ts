import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { concatBytes, fromHex, toHex } from '../core/codec/bytes.ts'
import { sha256Hex } from '../core/codec/hash.ts'
import type { PeerId } from '../core/codec/ids.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import { prepareStatement, sealStatement } from '../core/identity/statement.ts'
import type { SecureSumEffect, SecureSumEvent } from '../core/learning/secure-sum/events.ts'
import { checkPublicKey } from '../core/learning/secure-sum/key-agreement.ts'
import { runSumWork } from '../core/learning/secure-sum/mask.ts'
import {
  decodeSecureSumMessage,
  type RosterStage,
  type SecureSumContent,
  type SecureSumMessage,
} from '../core/learning/secure-sum/messages.ts'
import { SecureSum } from '../core/learning/secure-sum/secure-sum.ts'
import type { SecureSumTerms } from '../core/learning/secure-sum/session.ts'
import { type Rng, seededRng } from '../core/tasks/rng.ts'
import { seededBytes } from './seeded-bytes.ts'

/** Peer ids in order; no keys behind them, since signatures are checked before a sum hears of statements. */
export function sumPeers(count: number): PeerId[] {
  return Array.from({ length: count }, (_, index) =>
    peerIdOf(fromHex(sha256Hex(new Uint8Array([index >> 8, index])))),
  ).sort()
}

/** An unsigned statement as a message, through its codec. */
export function messageOf(author: PeerId, { kind, body }: SecureSumContent, salt = 0): SecureSumMessage {
  const nonce = new Uint8Array(16).fill(salt)
  const init = { network: 'test', kind, seq: 0, timestampMs: 0, nonce, body }
  return decodeSecureSumMessage(sealStatement(prepareStatement<unknown>(init, author), new Uint8Array(64)).bytes)
}

const PRIVATE_HEAD = fromHex('302e020100300506032b656e04220420')
const PUBLIC_HEAD = fromHex('302a300506032b656e032100')
/** Of both caches; a room of eight has 16 secrets and 56 pairs. */
const CACHED_MAX = 20_000
const secrets = new Map<string, OwnKey>()
const agreed = new Map<string, Uint8Array>()

interface OwnKey {
  readonly privateKey: KeyObject
  readonly publicHex: string
}

/** The platform's X25519, many times faster than portable code; every pair is computed once, for both of its peers. */
export function platformAgree(secret: Uint8Array, publicKey: Uint8Array): Uint8Array {
  checkPublicKey(publicKey)
  const { privateKey, publicHex } = ownKey(secret)
  const pair = [publicHex, toHex(publicKey)].sort().join('')
  const known = agreed.get(pair)
  if (known !== undefined) return known
  const other = createPublicKey({ key: Buffer.from(concatBytes(PUBLIC_HEAD, publicKey)), format: 'der', type: 'spki' })
  const shared = new Uint8Array(diffieHellman({ privateKey, publicKey: other }))
  if (agreed.size >= CACHED_MAX) agreed.clear()
  agreed.set(pair, shared)
  return shared
}

function ownKey(secret: Uint8Array): OwnKey {
  const name = toHex(secret)
  const known = secrets.get(name)
  if (known !== undefined) return known
  const encoded = Buffer.from(concatBytes(PRIVATE_HEAD, secret))
  const privateKey = createPrivateKey({ key: encoded, format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  const made = { privateKey, publicHex: toHex(publicKey.subarray(PUBLIC_HEAD.length)) }
  if (secrets.size >= CACHED_MAX) secrets.clear()
  secrets.set(name, made)
  return made
}

/** After which of its own statements a peer falls silent. */
export type Dropout = 'before-keys' | 'after-keys' | 'after-shares' | 'after-masked' | 'never'

export interface RoomInit {
  readonly count: number
  readonly length: number
  readonly seed: number
  readonly coordinateMax?: number
  readonly dropouts?: ReadonlyMap<number, Dropout>
  readonly participantsMin?: number
  /** Sees, and may change or swallow (`null`), whatever a peer sends. */
  readonly tamper?: (from: PeerId, content: SecureSumContent) => SecureSumContent | null
  readonly inputs?: readonly Int32Array[]
}

/** A secure sum among several peers in one process; statements arrive in an order drawn from the seed. The first peer calls. */
export class SumRoom {
  readonly peers: readonly PeerId[]
  readonly terms: SecureSumTerms
  readonly machines: readonly SecureSum[]
  readonly inputs: readonly Int32Array[]
  readonly effects: { readonly at: number; readonly effect: SecureSumEffect }[] = []
  readonly messages: SecureSumMessage[] = []
  readonly vectors = new Map<PeerId, Uint8Array>()
  readonly #init: RoomInit
  readonly #rng: Rng
  #queue: { to: number; event: SecureSumEvent }[] = []
  readonly #silent = new Set<number>()

  constructor(init: RoomInit) {
    this.#init = init
    this.#rng = seededRng(init.seed)
    this.peers = sumPeers(init.count)
    this.terms = {
      task: sha256Hex(new Uint8Array([1])),
      round: init.seed % 1_000,
      group: 0,
      attempt: 0,
      length: init.length,
      coordinateMax: init.coordinateMax ?? 1_000_000,
      participantsMin: init.participantsMin ?? 3,
      participantsMax: Math.max(init.count, 3),
      // Two callers, so that they can disagree.
      callers: this.peers.slice(0, 2),
    }
    this.inputs = init.inputs ?? this.peers.map(() => this.#randomInput())
    this.machines = this.peers.map(
      (self, index) => new SecureSum({ terms: this.terms, self, random: seededBytes(init.seed * 1_000 + index) }),
    )
    for (const [index, dropout] of init.dropouts ?? []) if (dropout === 'before-keys') this.#silent.add(index)
  }

  #randomInput(): Int32Array {
    const { coordinateMax } = this.terms
    return Int32Array.from({ length: this.#init.length }, () => this.#rng.below(2 * coordinateMax + 1) - coordinateMax)
  }

  /** All four stages. */
  run(): this {
    this.machines.forEach((_, index) => {
      this.send(index, { type: 'join' })
      this.send(index, { type: 'input', values: this.inputs[index] as Int32Array })
    })
    this.settle()
    for (const stage of ['share', 'mask', 'unmask'] as const) this.close(stage)
    return this
  }

  close(stage: RosterStage): void {
    this.send(0, { type: 'close', stage })
    this.settle()
  }

  send(to: number, event: SecureSumEvent): void {
    this.#queue.push({ to, event })
  }

  /** Delivers until nothing is under way. */
  settle(): void {
    while (this.#queue.length > 0) {
      const at = this.#rng.below(this.#queue.length)
      const last = this.#queue.pop() as { to: number; event: SecureSumEvent }
      const next = at === this.#queue.length ? last : (this.#queue[at] as typeof last)
      if (at < this.#queue.length) this.#queue[at] = last
      if (this.#silent.has(next.to)) continue
      const machine = this.machines[next.to] as SecureSum
      for (const effect of machine.step(next.event)) this.#perform(next.to, effect)
    }
  }

  #perform(at: number, effect: SecureSumEffect): void {
    this.effects.push({ at, effect })
    if (effect.type === 'publish') this.#publish(at, effect.content, effect.values)
    else if (effect.type === 'agree') {
      const { secret, publicKeys } = effect.request
      this.send(at, { type: 'agreed', id: effect.id, secrets: publicKeys.map((key) => platformAgree(secret, key)) })
    } else if (effect.type === 'work') {
      this.send(at, { type: 'worked', id: effect.id, values: runSumWork(effect.work) })
    } else if (effect.type === 'want') this.#fetch(at, effect)
  }

  #publish(at: number, content: SecureSumContent, values: Uint8Array | undefined): void {
    const author = this.peers[at] as PeerId
    const sent = this.#init.tamper === undefined ? content : this.#init.tamper(author, content)
    if (sent === null) return
    if (values !== undefined) this.vectors.set(author, values)
    this.broadcast(messageOf(author, sent))
    const dropout = this.#init.dropouts?.get(at)
    const stage = {
      'secure-sum-keys': 'after-keys',
      'secure-sum-shares': 'after-shares',
      'secure-sum-masked': 'after-masked',
    }
    if (dropout !== undefined && (stage as Record<string, string>)[content.kind] === dropout) this.#silent.add(at)
  }

  /** A vector follows its statement when it is asked for; the caller asks at once. */
  broadcast(message: SecureSumMessage): void {
    this.messages.push(message)
    this.machines.forEach((_, to) => {
      this.send(to, { type: 'message', message })
    })
    if (message.kind !== 'secure-sum-masked') return
    const { author } = message.decoded.statement
    const bytes = this.vectors.get(author)
    if (bytes === undefined) return
    this.settle()
    this.send(0, { type: 'values', of: author, bytes })
  }

  #fetch(at: number, want: Extract<SecureSumEffect, { type: 'want' }>): void {
    const bytes = this.vectors.get(want.of)
    if (want.what === 'values' && bytes !== undefined) this.send(at, { type: 'values', of: want.of, bytes })
    // Statements are all broadcast here: they are on their way.
  }

  /** Effects of one type, with where they came up. */
  all<Type extends SecureSumEffect['type']>(
    type: Type,
  ): { at: number; effect: Extract<SecureSumEffect, { type: Type }> }[] {
    return this.effects.filter((entry) => entry.effect.type === type) as {
      at: number
      effect: Extract<SecureSumEffect, { type: Type }>
    }[]
  }

  /** The plain sum of some peers' inputs. */
  plainSum(contributors: readonly PeerId[]): Int32Array {
    const sum = new Int32Array(this.#init.length)
    for (const peer of contributors) {
      const input = this.inputs[this.peers.indexOf(peer)] as Int32Array
      input.forEach((value, at) => {
        sum[at] = (sum[at] as number) + value
      })
    }
    return sum
  }
}
