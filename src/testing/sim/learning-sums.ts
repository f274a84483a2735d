import { toHex } from '../../core/codec/bytes.ts'
import { encode } from '../../core/codec/cbor.ts'
import { cidOf } from '../../core/codec/cid.ts'
import { sha256Bytes } from '../../core/codec/hash.ts'
import type { Cid, Hash, PeerId } from '../../core/codec/ids.ts'
import { prepareStatement, sealStatement } from '../../core/identity/statement.ts'
import type { RoundOutcome, SumsMessage } from '../../core/learning/messages.ts'
import { BLINDING_COORDINATES } from '../../core/learning/proofs/limits.ts'
import { quorumOf } from '../../core/learning/round-head.ts'
import { RoundSum, type RoundSumInit } from '../../core/learning/round-sum.ts'
import { updatesKey } from '../../core/learning/round-sums.ts'
import { planGraph } from '../../core/learning/secure-sum/graph.ts'
import { runSumWork } from '../../core/learning/secure-sum/mask.ts'
import {
  decodeSecureSumMessage,
  type SecureSumContent,
  type SecureSumMessage,
  type UnmaskBody,
} from '../../core/learning/secure-sum/messages.ts'
import type { RoundSumEffect, RoundSumEventBody } from '../../core/learning/sum-events.ts'
import { sumGroups } from '../../core/learning/sum-plan.ts'
import { platformAgree } from '../secure-sum-room.ts'
import type { World } from './world.ts'

/**
 * How a hostile member treats secure sums. `false-dealer`: deals shares of another secret than it announced. `spoiler`: its boxes do not open.
 * `liar`: reveals other shares than it was dealt. `twice`: says two things in one place, each to some. `deserter`: falls silent at a stage.
 * `false-prover`: its proofs do not hold.
 */
export type SumBehaviour = 'honest' | 'false-dealer' | 'spoiler' | 'liar' | 'twice' | 'deserter' | 'false-prover'

/** What one peer revealed of another, and in which sharing: session and share roster. */
interface Sharing {
  readonly threshold: number
  /** With more of them hostile, the sum promises nothing. */
  readonly colludersMax: number
  readonly dealers: Map<PeerId, { own: Set<PeerId>; pair: Set<PeerId> }>
}

/** Sees all of the world's secure sums and says when one breaks its promise. */
export class SumTruth {
  readonly blocks = new Map<Cid, Uint8Array>()
  readonly #violated: (what: string) => never
  readonly #inputs = new Map<string, Int32Array>()
  readonly #maskedIn = new Map<string, Hash>()
  readonly #sharings = new Map<string, Sharing>()
  readonly #sharingOf = new Map<string, string>()
  readonly #rosterSizes = new Map<string, number>()
  readonly #sums = new Map<Hash, Map<string, readonly PeerId[]>>()
  readonly #models = new Map<string, Cid>()
  readonly #isHonest: (peer: PeerId) => boolean
  summed = 0
  dropouts = 0
  convicted = 0

  constructor(options: { readonly violated: (what: string) => never; readonly isHonest: (peer: PeerId) => boolean }) {
    this.#violated = options.violated
    this.#isHonest = options.isHonest
  }

  offered(base: Hash, peer: PeerId, values: Int32Array): void {
    this.#inputs.set(`${base}/${peer}`, values)
  }

  /** A statement of a secure sum that a peer signs. */
  said(base: Hash, peer: PeerId, { kind, body }: SecureSumContent): void {
    if (kind === 'secure-sum-roster' && body.stage === 'share')
      this.#rosterSizes.set(`${body.session}/${toHex(rosterDigest(body))}`, body.entries.length)
    if (kind === 'secure-sum-shares') this.#dealt(peer, body.session, toHex(body.roster))
    if (!this.#isHonest(peer)) return
    if (kind === 'secure-sum-masked') {
      const before = this.#maskedIn.get(`${base}/${peer}`)
      if (before !== undefined)
        this.#violated(`[masked-once] ${peer} masked its update in ${before} and ${body.session}`)
      this.#maskedIn.set(`${base}/${peer}`, body.session)
    }
    if (kind === 'secure-sum-unmask') this.#reveals(peer, body)
  }

  #dealt(peer: PeerId, session: Hash, roster: string): void {
    const key = `${session}/${roster}`
    this.#sharingOf.set(`${session}/${peer}`, key)
    if (this.#sharings.has(key)) return
    const { threshold, colludersMax } = planGraph(this.#rosterSizes.get(key) as number)
    this.#sharings.set(key, { threshold, colludersMax, dealers: new Map() })
  }

  /** Together with what hostile holders keep, never both secrets of an honest dealer. */
  #reveals(holder: PeerId, body: UnmaskBody): void {
    const key = this.#sharingOf.get(`${body.session}/${holder}`)
    const sharing = key === undefined ? undefined : this.#sharings.get(key)
    if (sharing === undefined) return this.#violated(`[no-exposure] ${holder} reveals shares that it was never dealt`)
    const hostile = [...this.#sharingOf].filter(
      ([place, its]) => its === key && !this.#isHonest(place.slice(place.indexOf('/') + 1) as PeerId),
    ).length
    if (hostile > sharing.colludersMax) return
    for (const side of ['own', 'pair'] as const)
      for (const { of } of body[side]) {
        const seen = sharing.dealers.get(of) ?? { own: new Set(), pair: new Set() }
        sharing.dealers.set(of, seen)
        seen[side].add(holder)
        if (seen.own.has(holder) && seen.pair.has(holder))
          this.#violated(`[no-exposure] ${holder} revealed both shares of ${of}`)
        const known = Math.min(seen.own.size, seen.pair.size) + hostile
        if (this.#isHonest(of) && known >= sharing.threshold)
          this.#violated(`[no-exposure] both secrets of ${of} are known to ${known} holders`)
      }
  }

  /** A sum that a peer found. */
  found(base: Hash, updates: RoundOutcome['updates'], values: Int32Array): void {
    const contributors = updates.map(({ peer }) => peer)
    const plain = new Int32Array(values.length)
    for (const peer of contributors) {
      const input = this.#inputs.get(`${base}/${peer}`)
      if (input === undefined) return this.#violated(`[exact-sum] ${peer} is in a sum and had no update`)
      for (let i = 0; i < plain.length; i++) plain[i] = (plain[i] as number) + (input[i] as number)
    }
    if (toHex(new Uint8Array(plain.buffer)) !== toHex(new Uint8Array(values.buffer.slice(0))))
      this.#violated(`[exact-sum] the sum of ${contributors.length} is not the plain one`)
    if (contributors.length < 3) this.#violated(`[no-exposure] a sum has ${contributors.length} contributors`)
    const key = updatesKey(updates)
    const others = this.#sums.get(base) ?? new Map<string, readonly PeerId[]>()
    this.#sums.set(base, others)
    if (others.has(key)) return
    // The difference of two sums that share some contributors would be what they do not share.
    for (const other of others.values())
      if (other.some((peer) => this.#isHonest(peer) && contributors.includes(peer)))
        this.#violated(`[no-exposure] two sums of one round share honest contributors`)
    others.set(key, contributors)
    this.summed++
  }

  /** A caller that picks whom to sum up would be left with a few of its own and one other. */
  counted(contributors: number, members: number): void {
    if (contributors < quorumOf(members))
      this.#violated(`[no-exposure] a sum has ${contributors} contributors of ${members} members`)
  }

  /** What a peer made of sums. */
  merged(base: Hash, updates: RoundOutcome['updates'], model: Cid): void {
    const key = `${base}/${updatesKey(updates)}`
    const before = this.#models.get(key)
    if (before !== undefined && before !== model) this.#violated(`[same-bytes] one set made two models`)
    this.#models.set(key, model)
  }

  modelOf({ base, updates }: RoundOutcome): Cid | undefined {
    return this.#models.get(`${base}/${updatesKey(updates)}`)
  }
}

function rosterDigest(body: Extract<SecureSumContent, { kind: 'secure-sum-roster' }>['body']): Uint8Array {
  return sha256Bytes(encode(body))
}

export interface SumActorInit extends RoundSumInit {
  readonly world: World
  readonly truth: SumTruth
  readonly behaviour: SumBehaviour
  readonly others: readonly PeerId[]
  alive(): boolean
  deliver(to: PeerId, message: SumsMessage): void
  summed(group: number, updates: RoundOutcome['updates'] | null): void
  convicted(peer: PeerId, statements: readonly Uint8Array[]): void
}

/** One peer's secure sums of one round: the real machines, and what their effects do. */
export class SumActor {
  readonly base: Hash
  readonly #init: SumActorInit
  readonly #machine: RoundSum
  readonly #values = new Map<Hash, Int32Array>()
  readonly #silentFrom: SecureSumContent['kind'] | null
  #wakeAtMs = Number.POSITIVE_INFINITY
  #statements = 0
  #closed = false

  constructor(init: SumActorInit) {
    this.#init = init
    this.base = init.head.base
    this.#machine = new RoundSum(init)
    const kinds = ['secure-sum-keys', 'secure-sum-shares', 'secure-sum-masked', 'secure-sum-unmask'] as const
    this.#silentFrom = init.behaviour === 'deserter' ? (kinds[init.world.rng.below(4)] ?? null) : null
  }

  close(): void {
    this.#closed = true
  }

  step(event: RoundSumEventBody): void {
    if (this.#closed || !this.#init.alive()) return
    for (const effect of this.#machine.step({ ...event, nowMs: this.#init.world.nowMs })) this.#perform(effect)
  }

  /** Puts an update in. Proofs stand for proofs here: a block that names what it is about. */
  offer(values: Int32Array): void {
    if (this.#init.task.proofs === undefined) return this.step({ type: 'offer', values })
    const summed = new Int32Array(values.length + BLINDING_COORDINATES)
    summed.set(values)
    this.step({ type: 'offer', values: summed, commitment: sha256Bytes(encode([this.#init.self, [...values]])) })
  }

  /** The sums that a set is made of, group by group. */
  sumOf(part: RoundOutcome['updates']): Int32Array | undefined {
    return this.#values.get(updatesKey(part))
  }

  #later(delayMs: number, event: () => RoundSumEventBody | null): void {
    this.#init.world.after(delayMs, () => {
      const made = event()
      if (made !== null) this.step(made)
    })
  }

  #perform(effect: RoundSumEffect): void {
    const { world, truth, others } = this.#init
    switch (effect.type) {
      case 'wakeAt':
        return this.#wake(effect.atMs)
      case 'sign':
        return this.#sign(effect)
      case 'publish':
        for (const peer of others) this.#tell(peer, effect.statements)
        return
      case 'send':
        return this.#tell(effect.peer, effect.statements)
      case 'ask': {
        const { session, digests } = effect
        return this.#init.deliver(effect.peer, { type: 'sumWant', task: this.#init.id, session, digests })
      }
      case 'pull': {
        const { session, of, vector } = effect
        return this.#later(world.between(1, 200), () => {
          const bytes = truth.blocks.get(vector)
          return bytes === undefined || world.rng.below(10) === 0
            ? null
            : { type: 'pulled', session, of, vector, bytes }
        })
      }
      case 'agree': {
        const { session, id, request } = effect
        const secrets = request.publicKeys.map((key) => platformAgree(request.secret, key))
        return this.#later(world.between(1, 20), () => ({ type: 'agreed', session, id, secrets }))
      }
      case 'work': {
        const { session, id, work } = effect
        return this.#later(world.between(1, 20), () => ({ type: 'worked', session, id, values: runSumWork(work) }))
      }
      case 'prove': {
        const { session, roster, beacon, commitment } = effect
        const bytes = provenBy(beacon, this.#init.behaviour === 'false-prover' ? beacon : commitment)
        const proof = cidOf(bytes, 'raw')
        truth.blocks.set(proof, bytes)
        return this.#later(world.between(10, 2_000), () => ({ type: 'proved', session, roster, proof }))
      }
      case 'pullProof': {
        const { session, proof } = effect
        return this.#later(world.between(1, 200), () =>
          truth.blocks.has(proof) && world.rng.below(10) > 0 ? { type: 'proofPulled', session, proof } : null,
        )
      }
      case 'verifyProofs': {
        const { session, roster, beacon, proofs } = effect
        const holds = proofs.map(({ commitment, proof }) => cidOf(provenBy(beacon, commitment), 'raw') === proof)
        const opens = holds.every(Boolean)
        return this.#later(world.between(10, 500), () => ({ type: 'proofsVerified', session, roster, holds, opens }))
      }
      case 'stage':
        world.trace(() => `${this.#init.self.slice(-4)} sum: ${effect.stage} stage of ${effect.peers.length}`)
        return
      case 'refused':
        world.trace(
          () => `${this.#init.self.slice(-4)} sum: ${effect.reason} of ${effect.peer.slice(-4)}: ${effect.detail}`,
        )
        return
      case 'convicted':
        if (this.#init.behaviour !== 'honest') return
        truth.convicted++
        return this.#init.convicted(effect.peer, effect.statements)
      case 'summed':
        truth.found(this.base, effect.updates, effect.values)
        truth.counted(effect.updates.length, this.#membersOf(effect.group))
        if (effect.updates.length < this.#init.head.roster.length) truth.dropouts++
        this.#values.set(updatesKey(effect.updates), effect.values)
        world.trace(() => `${this.#init.self.slice(-4)} sum of ${effect.updates.length}`)
        return this.#init.summed(effect.group, effect.updates)
      case 'over':
        world.trace(() => `${this.#init.self.slice(-4)} sum over`)
        return this.#init.summed(effect.group, null)
    }
  }

  #membersOf(group: number): number {
    const { task, id, head } = this.#init
    return sumGroups(task, id, head)[group]?.length ?? 0
  }

  #tell(peer: PeerId, statements: readonly SecureSumMessage[]): void {
    this.#init.deliver(peer, { type: 'sum', task: this.#init.id, statements })
  }

  #wake(atMs: number): void {
    if (atMs === this.#wakeAtMs) return
    this.#wakeAtMs = atMs
    const { world } = this.#init
    world.after(atMs - world.nowMs, () => {
      if (this.#wakeAtMs !== atMs) return
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.step({ type: 'tick' })
    })
  }

  #sign({ content, values }: Extract<RoundSumEffect, { type: 'sign' }>): void {
    const { self, truth, behaviour, others, world } = this.#init
    if (this.#silentFrom !== null && KINDS.indexOf(content.kind) >= KINDS.indexOf(this.#silentFrom)) return
    const said = tampered(content, behaviour)
    world.trace(() => `${self.slice(-4)} ${behaviour} sum says ${said.kind}`)
    if (values !== null) truth.blocks.set(cidOf(values, 'raw'), values)
    truth.said(this.base, self, said)
    const message = this.#statement(said)
    const other = behaviour === 'twice' ? twin(said) : null
    if (other !== null) {
      truth.said(this.base, self, other)
      const contradiction = this.#statement(other)
      for (const peer of others) if (world.rng.below(2) === 0) this.#tell(peer, [contradiction])
    }
    this.#later(1, () => ({ type: 'signed', message }))
  }

  #statement({ kind, body }: SecureSumContent): SecureSumMessage {
    const { world, self } = this.#init
    const nonce = new Uint8Array(16)
    new DataView(nonce.buffer).setUint32(0, this.#statements++)
    const init = { network: 'sim', kind, seq: 0, timestampMs: world.nowMs, nonce, body }
    return decodeSecureSumMessage(sealStatement(prepareStatement<unknown>(init, self), new Uint8Array(64)).bytes)
  }
}

/** What stands for a proof. */
function provenBy(beacon: Uint8Array, commitment: Uint8Array): Uint8Array {
  return encode([beacon, commitment])
}

const KINDS: readonly SecureSumContent['kind'][] = [
  'secure-sum-keys',
  'secure-sum-roster',
  'secure-sum-shares',
  'secure-sum-masked',
  'secure-sum-unmask',
  'secure-sum-proof',
]

function flipped(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  changed[0] = (changed[0] as number) ^ 1
  return changed
}

/** What a hostile member says instead. */
function tampered(content: SecureSumContent, behaviour: SumBehaviour): SecureSumContent {
  if (behaviour === 'false-dealer' && content.kind === 'secure-sum-keys')
    return { kind: content.kind, body: { ...content.body, seedCommitment: flipped(content.body.seedCommitment) } }
  if (behaviour === 'spoiler' && content.kind === 'secure-sum-shares')
    return { kind: content.kind, body: { ...content.body, boxes: flipped(content.body.boxes) } }
  if (behaviour === 'liar' && content.kind === 'secure-sum-unmask') {
    const own = content.body.own.map(({ of, share }) => ({ of, share: flipped(share) }))
    return { kind: content.kind, body: { ...content.body, own } }
  }
  return content
}

/** Another statement in the same place. */
function twin(content: SecureSumContent): SecureSumContent | null {
  switch (content.kind) {
    case 'secure-sum-keys':
      return { kind: content.kind, body: { ...content.body, seedCommitment: flipped(content.body.seedCommitment) } }
    case 'secure-sum-masked':
      return { kind: content.kind, body: { ...content.body, valuesHash: content.body.session } }
    case 'secure-sum-roster':
      return content.body.entries.length > 3
        ? { kind: content.kind, body: { ...content.body, entries: content.body.entries.slice(1) } }
        : null
    default:
      return null
  }
}
