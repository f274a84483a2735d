import type { Cid, Hash, LearningTaskId, PeerId } from '../core/codec/ids.ts'
import { signStatement } from '../core/identity/statement.ts'
import type { RoundOutcome, SumsMessage } from '../core/learning/messages.ts'
import type { RoundEventBody } from '../core/learning/round-events.ts'
import type { RoundHead } from '../core/learning/round-head.ts'
import type { RoundSum } from '../core/learning/round-sum.ts'
import { decodeSecureSumMessage } from '../core/learning/secure-sum/messages.ts'
import type { RoundSumEffect, RoundSumEventBody } from '../core/learning/sum-events.ts'
import type { LearningTask } from '../core/learning/task.ts'
import type { Commitment } from '../workers/proofs/contract.ts'
import type { LearningLink } from './learning-link.ts'
import type { LearningWorker } from './learning-worker.ts'
import type { NodePorts } from './ports.ts'
import { describe } from './task-link.ts'
import { WakeTimer } from './wake-timer.ts'

export interface LearningSumsInit {
  readonly ports: NodePorts
  readonly link: LearningLink
  readonly worker: LearningWorker
  readonly id: LearningTaskId
  readonly task: LearningTask
  /** Tells the rounds. Never called from within their own effects. */
  readonly tell: (event: Extract<RoundEventBody, { type: 'summed' | 'convicted' }>) => void
}

/** Rounds of which masked vectors are kept. */
const ROUNDS_KEPT = 2

type Effect<T extends RoundSumEffect['type']> = Extract<RoundSumEffect, { type: T }>

/** The secure sums of the round that a task is in: performs what they ask for. They are in memory only; a restarted peer watches. */
export class LearningSums {
  readonly #init: LearningSumsInit
  readonly #timer: WakeTimer
  #machine: RoundSum | null = null
  /** What came before the machine's code was loaded; `null` when none is awaited. */
  #early: RoundSumEventBody[] | null = null
  #base: Hash | null = null
  #roundNumber = 0
  /** What opens this peer's commitment, until the round is over. */
  #opening: { readonly values: Int32Array; readonly blinding: Uint8Array } | null = null
  /** Blocks of masked vectors, by round. */
  readonly #vectors: Cid[][] = []

  constructor(init: LearningSumsInit) {
    this.#init = init
    this.#timer = new WakeTimer(init.ports.now, () => this.#step({ type: 'tick' }))
  }

  /** A round begins; the sums of the one before are over. */
  watch(head: RoundHead): void {
    const { worker } = this.#init
    this.stop()
    // Members one round behind may still ask for the vectors of the last.
    this.#vectors.push([])
    const old = this.#vectors.length > ROUNDS_KEPT ? (this.#vectors.shift() ?? []) : []
    if (old.length > 0)
      void worker.forget(old).catch((error: unknown) => this.#log(`Could not tidy up: ${describe(error)}`))
    this.#base = head.base
    this.#roundNumber = head.round
    this.#early = []
    void this.#open(head)
  }

  /** The machine is loaded with the first secret round: most peers never have one. */
  async #open(head: RoundHead): Promise<void> {
    const { ports, id, task } = this.#init
    try {
      const { RoundSum } = await import('../core/learning/round-sum.ts')
      const early = this.#early
      if (this.#base !== head.base || early === null) return
      this.#early = null
      const random = { bytes: (count: number) => ports.random(count) }
      this.#machine = new RoundSum({ self: ports.self, id, task, head, random })
      for (const event of early) this.#step(event)
    } catch (error) {
      ports.log.write('error', 'learning', `Could not load secure sums: ${describe(error)}`)
    }
  }

  /** The round with this base is the running one: sums of another are over. */
  keepOnly(base: Hash): void {
    if (this.#base !== null && this.#base !== base) this.stop()
  }

  stop(): void {
    this.#timer.stop()
    this.#init.worker.forgetSums()
    this.#machine = null
    this.#early = null
    this.#base = null
    this.#opening = null
  }

  /** Puts this peer's update into its sum. @param opening - Of its commitment, where the task asks for proofs. */
  offer(base: Hash, values: Int32Array, opening: Commitment | null): void {
    if (base !== this.#base) return
    if (opening === null) return this.#step({ type: 'offer', values })
    const { commitment, blinding, summable } = opening
    this.#opening = { values, blinding }
    this.#step({ type: 'offer', values: summable, commitment })
  }

  begin(base: Hash, ready: readonly PeerId[]): void {
    if (base === this.#base) this.#step({ type: 'begin', ready })
  }

  hear(from: PeerId, message: SumsMessage): void {
    this.#step({ type: 'message', from, message })
  }

  #step(event: RoundSumEventBody): void {
    if (this.#machine === null) {
      // Statements are said again; this peer's own part is not.
      if (event.type !== 'message') this.#early?.push(event)
      return
    }
    for (const effect of this.#machine.step({ ...event, nowMs: this.#init.ports.now() })) this.#perform(effect)
  }

  /** Answers go to the round that asked, if it still goes on. */
  async #answer(what: string, work: () => Promise<RoundSumEventBody>): Promise<void> {
    const base = this.#base
    try {
      const event = await work()
      if (base === this.#base) this.#step(event)
    } catch (error) {
      if (base === this.#base) this.#log(`Could not ${what}: ${describe(error)}`)
    }
  }

  #perform(effect: RoundSumEffect): void {
    const { link, id: task, worker } = this.#init
    switch (effect.type) {
      case 'wakeAt':
        return this.#timer.at(effect.atMs)
      case 'publish':
        return link.publishSum({ type: 'sum', task, statements: effect.statements })
      case 'send':
        return link.send(effect.peer, { type: 'sum', task, statements: effect.statements })
      case 'ask':
        return link.send(effect.peer, { type: 'sumWant', task, session: effect.session, digests: effect.digests })
      case 'sign':
        return void this.#answer('sign for a secure sum', () => this.#sign(effect))
      case 'pull':
        return void this.#answer('get a masked update', () => this.#pull(effect))
      case 'agree': {
        const { session, id, request } = effect
        return void this.#answer('agree on keys', async () => {
          return { type: 'agreed', session, id, secrets: await worker.agree(request) }
        })
      }
      case 'work': {
        const { session, id, work } = effect
        return void this.#answer('mask or sum up', async () => {
          return { type: 'worked', session, id, values: await worker.sumWork(work) }
        })
      }
      case 'prove':
        return void this.#answer('prove a norm', () => this.#prove(effect))
      case 'pullProof': {
        const { session, proof, from } = effect
        return void this.#answer('get a proof', async () => {
          await worker.pullProof(proof, from)
          this.#vectors.at(-1)?.push(proof)
          return { type: 'proofPulled', session, proof }
        })
      }
      case 'verifyProofs': {
        const { session, roster, beacon } = effect
        return void this.#answer('verify proofs', async () => {
          const judged = await worker.verifyProofs({ round: this.#roundNumber, beacon }, effect)
          return { type: 'proofsVerified', session, roster, ...judged }
        })
      }
      case 'stage':
        return this.#log(`Secure sum: ${effect.stage} stage of ${effect.peers.length} members`)
      case 'refused':
        return this.#log(`Secure sum: ${effect.reason} of ${effect.peer.slice(-6)}: ${effect.detail}`)
      case 'convicted':
        return this.#tell((base) => {
          const { peer, statements, reason } = effect
          return { type: 'convicted', base, peer, statements, ...(reason === 'bad-proof' ? { reason } : {}) }
        })
      case 'summed':
        worker.keepSum(effect.updates, effect.values)
        return this.#told(effect.group, effect.updates)
      case 'over':
        return this.#told(effect.group, null, effect.owing)
    }
  }

  #told(group: number, updates: RoundOutcome['updates'] | null, owing: readonly PeerId[] = []): void {
    this.#tell((base) => ({ type: 'summed', base, group, updates, owing }))
  }

  /** In a turn of its own: a machine must not be stepped from within another's effects. */
  #tell(event: (base: Hash) => Parameters<LearningSumsInit['tell']>[0]): void {
    const base = this.#base
    if (base !== null) queueMicrotask(() => this.#init.tell(event(base)))
  }

  async #prove({ session, roster, beacon, commitment }: Effect<'prove'>): Promise<RoundSumEventBody> {
    const opening = this.#opening
    if (opening === null) throw new Error('There is nothing to prove here')
    const proof = await this.#init.worker.prove({ round: this.#roundNumber, beacon, commitment }, opening)
    this.#vectors.at(-1)?.push(proof)
    return { type: 'proved', session, roster, proof }
  }

  async #sign({ content, values }: Effect<'sign'>): Promise<RoundSumEventBody> {
    const { ports, worker } = this.#init
    // Who hears of a vector may ask for it at once.
    if (values !== null) this.#vectors.at(-1)?.push(await worker.keepMasked(values))
    const stamp = await ports.statements.stamp()
    const { bytes } = await signStatement<unknown>({ ...stamp, ...content }, ports.signer)
    return { type: 'signed', message: decodeSecureSumMessage(bytes) }
  }

  async #pull({ session, of, vector, from }: Effect<'pull'>): Promise<RoundSumEventBody> {
    const bytes = await this.#init.worker.pullMasked(vector, from)
    this.#vectors.at(-1)?.push(vector)
    return { type: 'pulled', session, of, vector, bytes }
  }

  #log(line: string): void {
    this.#init.ports.log.write('debug', 'learning', line)
  }
}
