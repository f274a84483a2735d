import { describe, expect, it } from 'vitest'
import { learningTask } from '../../testing/learning-fixtures.ts'
import { messageOf, platformAgree, sumPeers } from '../../testing/secure-sum-room.ts'
import { seededBytes } from '../../testing/seeded-bytes.ts'
import type { Cid, PeerId } from '../codec/ids.ts'
import { genesisHead, quorumOf, type RoundHead } from './round-head.ts'
import { RoundSum } from './round-sum.ts'
import { SUM_PATIENCE } from './secure-sum/limits.ts'
import { runSumWork } from './secure-sum/mask.ts'
import type { SecureSumContent } from './secure-sum/messages.ts'
import { vectorCid } from './sum-attempt.ts'
import type { RoundSumEffect, RoundSumEventBody } from './sum-events.ts'
import { callersInTurn, noisePlanOf, sumGroups } from './sum-plan.ts'
import { type LearningTask, learningTaskId } from './task.ts'

const VALUES = 6

/** Sums of one round among several peers; statements arrive at once unless `drop` swallows them. */
class SumsRoom {
  readonly task: LearningTask
  readonly head: RoundHead
  readonly machines: ReadonlyMap<PeerId, RoundSum>
  readonly effects: { readonly at: PeerId; readonly effect: RoundSumEffect }[] = []
  readonly said: { readonly at: PeerId; readonly content: SecureSumContent }[] = []
  readonly silent = new Set<PeerId>()
  readonly #vectors = new Map<Cid, Uint8Array>()
  readonly #queue: (() => void)[] = []
  nowMs = 0
  /** What a hostile peer says instead. */
  change: (from: PeerId, content: SecureSumContent) => SecureSumContent = (_, content) => content
  /** Whether a peer vanishes instead of saying something. */
  drop: (from: PeerId, content: SecureSumContent) => boolean = () => false
  /** Whether a peer never gets to say something. */
  lose: (from: PeerId, content: SecureSumContent) => boolean = () => false

  constructor(count: number, changes: Partial<LearningTask> = {}) {
    const peers = sumPeers(count)
    this.task = learningTask(peers[0] as PeerId, { mode: 'secure-sum', ...changes })
    const id = learningTaskId(this.task)
    this.head = { ...genesisHead(this.task, id), round: 1, roster: peers }
    this.machines = new Map(
      peers.map((self, at) => {
        const init = { self, id, task: this.task, head: this.head, random: seededBytes(at) }
        return [self, new RoundSum(init)]
      }),
    )
  }

  get callers(): readonly PeerId[] {
    return callersInTurn(this.head.roster, { head: this.head, attempt: 0 })
  }

  inputOf(peer: PeerId): Int32Array {
    return new Int32Array(VALUES).fill(1 + this.head.roster.indexOf(peer))
  }

  begin(ready: readonly PeerId[] = this.head.roster): void {
    for (const peer of ready) this.step(peer, { type: 'offer', values: this.inputOf(peer) })
    for (const peer of this.head.roster) this.step(peer, { type: 'begin', ready })
    this.settle()
  }

  /** Lets time pass, a `voteMs` at a time. */
  wait(stages: number): void {
    for (let i = 0; i < stages; i++) {
      this.nowMs += this.task.voteMs
      for (const peer of this.head.roster) this.step(peer, { type: 'tick' })
      this.settle()
    }
  }

  step(peer: PeerId, event: RoundSumEventBody): void {
    this.#queue.push(() => {
      if (this.silent.has(peer)) return
      const effects = this.machines.get(peer)?.step({ ...event, nowMs: this.nowMs }) ?? []
      for (const effect of effects) this.#perform(peer, effect)
    })
  }

  settle(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next()
  }

  #perform(at: PeerId, effect: RoundSumEffect): void {
    this.effects.push({ at, effect })
    switch (effect.type) {
      case 'sign':
        return this.#sign(at, effect)
      case 'publish':
        for (const peer of this.head.roster) if (peer !== at) this.#tell(at, peer, effect.statements)
        return
      case 'send':
        return this.#tell(at, effect.peer, effect.statements)
      case 'ask': {
        const { peer, session, digests } = effect
        const message = { type: 'sumWant', task: learningTaskId(this.task), session, digests } as const
        return this.step(peer, { type: 'message', from: at, message })
      }
      case 'pull': {
        const bytes = this.#vectors.get(effect.vector)
        return bytes === undefined ? undefined : this.step(at, { ...effect, type: 'pulled', bytes })
      }
      case 'agree': {
        const secrets = effect.request.publicKeys.map((key) => platformAgree(effect.request.secret, key))
        return this.step(at, { type: 'agreed', session: effect.session, id: effect.id, secrets })
      }
      case 'work':
        return this.step(at, { ...effect, type: 'worked', values: runSumWork(effect.work) })
    }
  }

  #tell(from: PeerId, to: PeerId, statements: Extract<RoundSumEffect, { type: 'publish' }>['statements']): void {
    const message = { type: 'sum', task: learningTaskId(this.task), statements } as const
    this.step(to, { type: 'message', from, message })
  }

  #sign(at: PeerId, { content, values }: Extract<RoundSumEffect, { type: 'sign' }>): void {
    if (this.drop(at, content)) return void this.silent.add(at)
    if (this.lose(at, content)) return
    this.said.push({ at, content })
    const message = messageOf(at, this.change(at, content), this.said.length)
    if (content.kind === 'secure-sum-masked' && values !== null)
      this.#vectors.set(vectorCid(content.body.valuesHash), values)
    this.step(at, { type: 'signed', message })
  }

  all<T extends RoundSumEffect['type']>(type: T): { at: PeerId; effect: Extract<RoundSumEffect, { type: T }> }[] {
    return this.effects.filter(({ effect }) => effect.type === type) as {
      at: PeerId
      effect: Extract<RoundSumEffect, { type: T }>
    }[]
  }

  masked(peer: PeerId): number {
    return this.said.filter(({ at, content }) => at === peer && content.kind === 'secure-sum-masked').length
  }

  plainSum(peers: readonly PeerId[]): Int32Array {
    return new Int32Array(VALUES).fill(peers.reduce((sum, peer) => sum + (this.inputOf(peer)[0] as number), 0))
  }
}

describe('the secure sums of a round', () => {
  it('[GS4] every member finds the plain sum, also one that puts nothing in', () => {
    const room = new SumsRoom(5)
    const ready = room.head.roster.slice(0, 4)
    room.begin(ready)
    const sums = room.all('summed')
    expect(sums.map(({ at }) => at).sort()).toEqual(room.head.roster)
    for (const { effect } of sums) {
      expect(effect.updates.map(({ peer }) => peer)).toEqual(ready)
      expect(effect.values).toEqual(room.plainSum(ready))
    }
    expect(room.all('convicted')).toEqual([])
  })

  for (const kind of ['secure-sum-keys', 'secure-sum-shares', 'secure-sum-masked', 'secure-sum-unmask'] as const) {
    it(`[GS3] goes on without the first caller when it vanishes before its ${kind.slice(11)}`, () => {
      const room = new SumsRoom(5)
      const [caller] = room.callers as [PeerId]
      room.drop = (from, content) => from === caller && content.kind === kind
      room.begin()
      room.wait(8)
      const sums = room.all('summed').filter(({ at }) => at !== caller)
      expect(sums).toHaveLength(4)
      for (const { effect } of sums) {
        const contributors = effect.updates.map(({ peer }) => peer)
        expect(contributors.includes(caller)).toBe(kind === 'secure-sum-unmask')
        expect(effect.values).toEqual(room.plainSum(contributors))
      }
    })
  }

  it('[GS2] nobody masks twice: when too few are left after masking, there is no sum and no other attempt', () => {
    const room = new SumsRoom(4)
    const [, second, third] = room.callers as [PeerId, PeerId, PeerId]
    room.drop = (from, content) => (from === second || from === third) && content.kind === 'secure-sum-masked'
    room.begin()
    room.wait(SUM_PATIENCE)
    expect(room.all('summed')).toEqual([])
    expect(new Set(room.all('over').map(({ at }) => at)).size).toBe(2)
    for (const peer of room.head.roster) expect(room.masked(peer)).toBeLessThanOrEqual(1)
    expect(room.said.filter(({ content }) => content.kind === 'secure-sum-unmask')).toEqual([])
  })

  it('[GS2] another attempt with new keys follows one that failed before masks', () => {
    const room = new SumsRoom(6)
    const slow = room.callers.slice(3)
    let session = ''
    // Six that announced keys need four to go on.
    room.lose = (from, { kind, body }) => {
      session ||= body.session
      return kind === 'secure-sum-shares' && body.session === session && slow.includes(from)
    }
    room.begin()
    room.wait(SUM_PATIENCE - 1)
    const sums = room.all('summed')
    expect(sums).toHaveLength(6)
    for (const { at, effect } of sums) {
      expect(effect.values).toEqual(room.plainSum(effect.updates.map(({ peer }) => peer)))
      expect(room.masked(at)).toBeLessThanOrEqual(1)
    }
    const maskedIn = room.said.filter(({ content }) => content.kind === 'secure-sum-masked')
    expect(maskedIn.some(({ content }) => content.body.session === session)).toBe(false)
  })

  it('[GS7] a caller cannot sum up a member with a few of its choice', () => {
    const room = new SumsRoom(7)
    const [caller] = room.callers as [PeerId]
    const others = room.head.roster.filter((peer) => peer !== caller).slice(0, 3)
    room.change = (from, content) => {
      if (from !== caller || content.kind !== 'secure-sum-roster' || content.body.stage !== 'share') return content
      const entries = content.body.entries.filter(({ peer }) => peer === caller || others.includes(peer))
      return { kind: content.kind, body: { ...content.body, entries } }
    }
    room.begin()
    room.wait(SUM_PATIENCE - 1)
    expect(room.all('refused').some(({ effect }) => effect.reason === 'exposing-roster')).toBe(true)
    for (const { effect } of room.all('summed')) expect(effect.updates.length).toBeGreaterThanOrEqual(quorumOf(7))
    expect(room.all('summed').length).toBeGreaterThan(0)
  })

  it('[GS2] an update beyond its bound is not masked', () => {
    const room = new SumsRoom(4)
    const [first] = room.head.roster as [PeerId]
    room.inputOf = (peer) => new Int32Array(VALUES).fill(peer === first ? room.task.clipNorm + 1 : 1)
    room.begin()
    expect(room.all('refused')).toMatchObject([{ at: first, effect: { peer: first, reason: 'overflow' } }])
    expect(room.masked(first)).toBe(0)
    room.wait(2)
    expect(room.all('summed').map(({ effect }) => effect.updates.length)).toEqual([3, 3, 3, 3])
  })

  it('[GS6] a dealer of false shares is convicted at everybody', () => {
    const room = new SumsRoom(5)
    const [first] = room.head.roster as [PeerId]
    const sign = room.drop
    room.drop = (from, content) => {
      if (from === first && content.kind === 'secure-sum-keys') content.body.seedCommitment.fill(7, 0, 1)
      return sign(from, content)
    }
    room.begin()
    const convicted = room.all('convicted')
    expect(convicted.map(({ at }) => at).sort()).toEqual(room.head.roster)
    for (const { effect } of convicted) expect(effect).toMatchObject({ peer: first, reason: 'inconsistent-dealer' })
    expect(room.all('summed')).toEqual([])
  })
})

describe('[GS7] the plan of sums', () => {
  const grouped = { mode: 'grouped', rule: { rule: 'median', byzantineMax: 1 } } as const

  it('draws groups anew for each round, the same for all, and of five where there are enough', () => {
    const peers = sumPeers(17)
    const task = learningTask(peers[0] as PeerId, { ...grouped, participantsMin: 12, participantsTarget: 17 })
    const id = learningTaskId(task)
    const head = { ...genesisHead(task, id), round: 3, roster: peers }
    const groups = sumGroups(task, id, head)
    expect(groups.map(({ length }) => length).sort()).toEqual([5, 6, 6])
    expect(groups.flat().sort()).toEqual(peers)
    expect(sumGroups(task, id, head)).toEqual(groups)
    expect(sumGroups(task, id, { ...head, round: 4 })).not.toEqual(groups)
    expect(sumGroups(task, id, { ...head, roster: peers.slice(0, 13) }).map(({ length }) => length)).toEqual([5, 4, 4])
    expect(sumGroups({ ...task, mode: 'secure-sum' }, id, head)).toEqual([peers])
  })

  it('makes shares of noise for the honest among the fewest contributors', () => {
    const privacy = { mode: 'distributed', noiseMillionths: 1e6, epsilonMillionths: 1e6, deltaBillionths: 10 } as const
    const [creator] = sumPeers(1) as [PeerId]
    const planOf = (changes: Partial<LearningTask>) => noisePlanOf(learningTask(creator, { privacy, ...changes }))
    expect(planOf({ mode: 'secure-sum', participantsMin: 7 })?.contributorsMin).toBe(5)
    expect(planOf({ ...grouped, participantsMin: 20 })?.contributorsMin).toBe(3)
    expect(planOf({ privacy: { ...privacy, mode: 'local' } })?.contributorsMin).toBe(1)
    expect(planOf({ privacy: null })).toBeNull()
  })
})
