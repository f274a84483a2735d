import { describe, expect, it } from 'vitest'
import { learningTask } from '../../testing/learning-fixtures.ts'
import { testSigner } from '../../testing/signers.ts'
import { encode } from '../codec/cbor.ts'
import { cidOf } from '../codec/cid.ts'
import type { Cid, Hash, PeerId } from '../codec/ids.ts'
import { prepareStatement, sealStatement } from '../identity/statement.ts'
import { MEMBER_SILENCE_MS, PRESENCE_INTERVAL_MS } from './limits.ts'
import { outcomeHash } from './message-codec.ts'
import type { CommittedRound, LearningStatement, RoundOutcome, SignedVote, UpdateVote } from './messages.ts'
import type { RoundEffect, RoundEventBody, RoundNotice, StatementDraft } from './round-events.ts'
import { genesisHead, headAfter, isCommitted, outcomeFault, quorumOf, type RoundHead, tolerated } from './round-head.ts'
import { loadRounds } from './round-records.ts'
import { Rounds } from './rounds.ts'
import { type LearningTask, learningTaskId } from './task.ts'

const peers = Array.from({ length: 5 }, (_, i) => testSigner(i).author).sort() as [
  PeerId,
  PeerId,
  PeerId,
  PeerId,
  PeerId,
]
const [self, ann, bob, cleo, dan] = peers
const task = learningTask(self)
const id = learningTaskId(task)
const START_MS = 1_800_000_000_000
const updateOf = (peer: PeerId, version = 0) => cidOf(encode([peer, version]), 'raw')

let made = 0
function signed(draft: StatementDraft, author: PeerId): LearningStatement {
  const nonce = new Uint8Array(16)
  new DataView(nonce.buffer).setUint32(0, ++made)
  const init = { network: 'net', seq: 0, timestampMs: START_MS, nonce, ...draft }
  const { bytes } = sealStatement(prepareStatement<unknown>(init, author), new Uint8Array(64))
  return { ...draft, author, timestampMs: START_MS + made, bytes } as LearningStatement
}

/** One machine, with the round of the given members just begun. */
class Bench {
  readonly machine: Rounds
  readonly effects: RoundEffect[] = []
  readonly records = new Map<string, Uint8Array>()
  head: RoundHead
  nowMs = START_MS

  constructor(members: readonly PeerId[] = [self, ann, bob, cleo], start = true, mode: LearningTask['mode'] = 'plain') {
    this.machine = new Rounds({ self, id, task: { ...task, mode } })
    this.head = { ...genesisHead(task, id), round: 1, base: outcomeHash(outcome({})), roster: [...members].sort() }
    if (!start) return
    this.step({ type: 'start', head: this.head, record: null })
    this.step({ type: 'want', wants: 'in' })
    this.step({ type: 'modelReady', model: this.head.model })
  }

  step(event: RoundEventBody): RoundEffect[] {
    const effects = this.machine.step({ ...event, nowMs: this.nowMs })
    this.effects.push(...effects)
    for (const effect of effects)
      if (effect.type === 'persist')
        for (const { bucket, key, value } of effect.ops)
          if (value !== undefined) this.records.set(`${bucket}/${key}`, value)
    for (const effect of effects)
      if (effect.type === 'sign') this.step({ type: 'signed', statement: signed(effect.draft, self) })
    return effects
  }

  hear(...statements: LearningStatement[]): void {
    for (const statement of statements)
      this.step({
        type: 'message',
        from: statement.author,
        message: { type: 'bundle', task: id, statements: [statement] },
      })
  }

  announce(peer: PeerId, version = 0, changes: Partial<{ round: number; base: RoundHead['base'] }> = {}): void {
    const { round, base } = this.head
    const body = { task: id, round, base, update: updateOf(peer, version), norm: 1, commitment: null, ...changes }
    this.hear(signed({ kind: 'update-announcement', body }, peer))
  }

  checked(peer: PeerId, verdict: 'good' | 'bad' | 'wrong-shape' = 'good'): void {
    this.step({ type: 'updateChecked', base: this.head.base, peer, update: updateOf(peer), verdict })
  }

  vote(peer: PeerId, changes: Partial<UpdateVote>): void {
    const { round, base } = this.head
    const body = {
      task: id,
      round,
      base,
      step: 'accept',
      view: 0,
      outcome: null,
      reason: null,
      scores: [],
      ...changes,
    } as const
    this.hear(signed({ kind: 'update-vote', body }, peer))
  }

  propose(view: number, changes: Partial<RoundOutcome>, author = this.coordinator(view)): RoundOutcome {
    const { round, base } = this.head
    const proposed = outcome({ round, base, model: this.head.model, ...changes })
    this.hear(
      signed(
        { kind: 'round-proposal', body: { task: id, round, base, view, validView: -1, outcome: proposed } },
        author,
      ),
    )
    return proposed
  }

  coordinator(view: number): PeerId {
    const { roster, base } = this.head
    return roster[(Number.parseInt(base.slice(0, 8), 16) + view) % roster.length] as PeerId
  }

  said(step: UpdateVote['step']): UpdateVote[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'sign' && effect.draft.kind === 'update-vote' && effect.draft.body.step === step
        ? [effect.draft.body]
        : [],
    )
  }

  notices<T extends RoundNotice['type']>(type: T): Extract<RoundNotice, { type: T }>[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'emit' && effect.notice.type === type ? [effect.notice as Extract<RoundNotice, { type: T }>] : [],
    )
  }

  /** All members announce, this one too, and all updates are good. */
  everyoneTrains(): void {
    for (const peer of this.head.roster) {
      if (peer === self)
        this.step({ type: 'trained', base: this.head.base, update: updateOf(self), norm: 1, commitment: null })
      else this.announce(peer)
      this.checked(peer)
    }
  }
}

function outcome(changes: Partial<RoundOutcome>): RoundOutcome {
  return {
    task: id,
    round: 0,
    base: id,
    updates: [],
    rejected: [],
    joined: [],
    left: [],
    skipped: null,
    model: task.initialModel,
    state: null,
    ...changes,
  }
}

const MERGED = cidOf(encode('merged'), 'raw')
const all = (head: RoundHead) => head.roster.map((peer) => ({ peer, update: updateOf(peer) }))

describe('[G5] quorumOf', () => {
  it('lets two quorums share more members than may be hostile, and be reached without those', () => {
    for (let members = 1; members <= 100; members++) {
      expect(2 * quorumOf(members) - members).toBeGreaterThan(tolerated(members))
      expect(quorumOf(members)).toBeLessThanOrEqual(members - tolerated(members))
    }
  })
})

describe('outcomeFault', () => {
  const head = new Bench().head
  const fits = outcome({ round: 1, base: head.base, updates: all(head), model: MERGED })

  it('finds none in an outcome that fits', () => {
    expect(outcomeFault(head, fits, task)).toBeNull()
  })

  const bad: readonly (readonly [string, Partial<RoundOutcome>])[] = [
    ['another round', { round: 2 }],
    ['another round', { base: outcomeHash(fits) }],
    ['order', { updates: [...fits.updates].reverse() }],
    ['order', { updates: [...fits.updates, fits.updates.at(-1) as RoundOutcome['updates'][number]] }],
    ['not a member', { updates: [...fits.updates, { peer: dan, update: updateOf(dan) }] }],
    ['merged and rejected', { rejected: [{ peer: ann, reason: 'voted-out' }] }],
    ['merged and absent', { left: [{ peer: ann, reason: 'absent' }] }],
    ['joined', { joined: [ann] }],
    ['too few updates', { updates: fits.updates.slice(0, 2) }],
    ['skipped with updates', { skipped: 'too-few' }],
    ['skipped with another model', { updates: [], skipped: 'too-few' }],
    ['skipped without reason', { updates: [], model: head.model, skipped: 'roster' }],
  ]
  for (const [fault, changes] of bad) {
    it(`says "${fault}" of ${JSON.stringify(changes).slice(0, 60)}`, () => {
      expect(outcomeFault(head, { ...fits, ...changes }, task)).toBe(fault)
    })
  }

  it('[G8] puts an equivocator out at once, and who is voted out three rounds in a row', () => {
    const others = all(head).filter(({ peer }) => peer !== ann)
    const next = headAfter(head, { ...fits, updates: others, rejected: [{ peer: ann, reason: 'equivocated' }] })
    expect(next.roster).not.toContain(ann)
    expect(next.removed).toEqual([ann])
    let at = head
    for (let round = 0; round < 3; round++) {
      expect(at.roster).toContain(ann)
      at = headAfter(at, {
        ...fits,
        round: at.round,
        base: at.base,
        updates: others,
        rejected: [{ peer: ann, reason: 'voted-out' }],
      })
    }
    expect(at.roster).not.toContain(ann)
  })
})

describe('a round', () => {
  it('is trained for once, voted on twice and committed with the votes of a quorum', () => {
    const bench = new Bench()
    expect(bench.effects.filter(({ type }) => type === 'train')).toHaveLength(1)
    bench.everyoneTrains()
    for (const peer of [ann, bob, cleo]) bench.vote(peer, { step: 'score' })
    const proposed =
      bench.coordinator(0) === self ? null : bench.propose(0, { updates: all(bench.head), model: MERGED })
    const asked = bench.effects.find((effect) => effect.type === 'aggregate')
    expect(asked?.type).toBe('aggregate')
    if (asked?.type !== 'aggregate') return
    bench.step({
      type: 'aggregated',
      base: bench.head.base,
      key: asked.key,
      result: { model: MERGED, state: null, worse: false },
    })
    const hash = outcomeHash(
      proposed ?? outcome({ round: 1, base: bench.head.base, updates: all(bench.head), model: MERGED }),
    )
    expect(bench.said('accept')).toMatchObject([{ outcome: hash, view: 0 }])
    for (const peer of [ann, bob]) bench.vote(peer, { step: 'accept', outcome: hash })
    expect(bench.said('commit')).toMatchObject([{ outcome: hash, view: 0 }])
    for (const peer of [ann, bob]) bench.vote(peer, { step: 'commit', outcome: hash })
    const [committed] = bench.notices('committed')
    expect(committed?.head).toMatchObject({ round: 2, merged: 1, model: MERGED })
    expect(isCommitted(bench.head, committed?.commit as CommittedRound, task)).toBe(true)
    expect(bench.machine.head.base).toBe(hash)
  })

  it('makes what it says durable before it is signed, and says the same after a restart', async () => {
    const bench = new Bench()
    bench.everyoneTrains()
    const signs = bench.effects.findIndex(
      (effect) => effect.type === 'sign' && effect.draft.kind === 'update-announcement',
    )
    expect(bench.effects.slice(0, signs).some(({ type }) => type === 'persist')).toBe(true)
    const reader = {
      get: async (bucket: string, key: string) => bench.records.get(`${bucket}/${key}`),
      list: async () => [],
    }
    const { record } = await loadRounds(reader, id)
    const again = new Bench(bench.head.roster, false)
    again.step({ type: 'start', head: bench.head, record })
    again.step({ type: 'want', wants: 'in' })
    again.step({ type: 'modelReady', model: bench.head.model })
    expect(again.effects.some(({ type }) => type === 'train')).toBe(false)
    const said = (of: Bench) =>
      of.effects.flatMap((effect) =>
        effect.type === 'sign' && effect.draft.kind === 'update-announcement' ? [effect.draft.body] : [],
      )
    expect(said(again)).toEqual(said(bench))
  })

  it('refuses announcements of another round, another chain and of who is no member', () => {
    const bench = new Bench()
    bench.announce(ann, 0, { round: 0 })
    bench.announce(ann, 0, { base: outcomeHash(outcome({ round: 9 })) })
    bench.announce(dan)
    expect(bench.machine.progress.announced).toBe(0)
    expect(bench.notices('refused').map(({ code }) => code)).toEqual(['wrong-round', 'not-a-member'])
  })

  it('takes a replayed announcement once', () => {
    const bench = new Bench()
    bench.announce(ann)
    bench.announce(ann)
    expect(bench.machine.progress.announced).toBe(1)
    expect(bench.effects.filter((effect) => effect.type === 'checkUpdate' && effect.peer === ann)).toHaveLength(1)
    expect(bench.notices('evidence')).toHaveLength(0)
  })

  it('keeps two updates of one member as evidence, tells the others, and merges neither', () => {
    const bench = new Bench()
    bench.announce(ann)
    bench.checked(ann)
    bench.announce(ann, 1)
    const [evidence] = bench.notices('evidence')
    expect(evidence?.peer).toBe(ann)
    expect(evidence?.statements).toHaveLength(2)
    const told = bench.effects.filter(
      (effect) =>
        effect.type === 'publish' &&
        effect.message.type === 'bundle' &&
        effect.message.statements.every(({ author }) => author === ann),
    )
    expect(told).toHaveLength(1)
    bench.everyoneTrains()
    if (bench.coordinator(0) !== self) bench.propose(0, { updates: all(bench.head), model: MERGED })
    expect(bench.said('accept').every(({ outcome: voted }) => voted === null)).toBe(true)
  })

  it('keeps two votes of one member in one view as evidence and counts the first', () => {
    const bench = new Bench()
    bench.vote(ann, { step: 'commit', outcome: bench.head.base })
    bench.vote(ann, { step: 'commit', outcome: null })
    expect(bench.notices('evidence').map(({ peer }) => peer)).toEqual([ann])
  })

  it('refuses a proposal that is not by the view’s coordinator, or whose outcome is none', () => {
    const bench = new Bench()
    const wrong = bench.head.roster.find((peer) => peer !== bench.coordinator(0) && peer !== self) as PeerId
    bench.propose(0, { updates: all(bench.head), model: MERGED }, wrong)
    expect(bench.notices('refused').map(({ code }) => code)).toEqual(['wrong-coordinator'])
    const view = [0, 1, 2, 3].find((each) => bench.coordinator(each) !== self) as number
    bench.propose(view, { updates: all(bench.head).reverse(), model: MERGED })
    expect(bench.notices('refused').map(({ code }) => code)).toEqual(['wrong-coordinator', 'bad-outcome'])
  })

  it('votes against a model that is not what the updates make', () => {
    const bench = new Bench()
    const view = [0, 1, 2, 3].find((each) => bench.coordinator(each) !== self) as number
    bench.everyoneTrains()
    // Two others are in the view already.
    for (const peer of [ann, bob]) bench.vote(peer, { view, step: 'accept' })
    bench.propose(view, { updates: all(bench.head), model: cidOf(encode('forged'), 'raw') })
    const asked = bench.effects.findLast((effect) => effect.type === 'aggregate')
    if (asked?.type !== 'aggregate') throw new Error('The aggregate was not asked for')
    bench.step({
      type: 'aggregated',
      base: bench.head.base,
      key: asked.key,
      result: { model: MERGED, state: null, worse: false },
    })
    expect(bench.said('accept')).toMatchObject([{ outcome: null, reason: 'model-differs' }])
  })

  it('votes against an outcome that leaves out more than a third of what everyone heard', () => {
    const bench = new Bench([self, ann, bob, cleo, dan])
    const view = [0, 1, 2, 3, 4].find((each) => bench.coordinator(each) !== self) as number
    bench.everyoneTrains()
    for (const peer of [ann, bob]) bench.vote(peer, { view, step: 'accept' })
    bench.propose(view, { updates: all(bench.head).slice(0, 3), model: MERGED })
    expect(bench.said('accept')).toMatchObject([{ outcome: null, reason: 'left-out' }])
  })

  it('[G8] keeps out what more than half of all members found bad, and nothing that fewer did', () => {
    const bench = new Bench()
    bench.everyoneTrains()
    const bad = { peer: ann, update: updateOf(ann), bad: true }
    bench.vote(bob, { step: 'score', scores: [bad] })
    bench.vote(cleo, { step: 'score', scores: [bad] })
    expect(bench.machine.progress.scored).toBe(4)
    const view = [0, 1, 2, 3].find((each) => bench.coordinator(each) !== self) as number
    for (const peer of [bob, cleo]) bench.vote(peer, { view, step: 'accept' })
    const others = all(bench.head).filter(({ peer }) => peer !== ann)
    bench.propose(view, { updates: others, rejected: [{ peer: ann, reason: 'voted-out' }], model: MERGED })
    // Two of four are not more than half; this member found it good.
    bench.nowMs += task.voteMs * 4
    bench.step({ type: 'tick' })
    expect(bench.said('accept').at(-1)).toMatchObject({ outcome: null, reason: 'left-out' })
  })

  it('counts a silent member out, and ends with the others', () => {
    const bench = new Bench()
    for (const peer of [self, ann, bob]) {
      if (peer === self)
        bench.step({ type: 'trained', base: bench.head.base, update: updateOf(self), norm: 1, commitment: null })
      else bench.announce(peer)
      bench.checked(peer)
    }
    expect(bench.said('score')).toHaveLength(0)
    bench.nowMs += Math.min(task.trainMs, MEMBER_SILENCE_MS + 1)
    for (const peer of [ann, bob])
      bench.step({ type: 'message', from: peer, message: { type: 'presence', task: id, round: 1 } })
    expect(bench.said('score')).toMatchObject([{ scores: [{ bad: false }, { bad: false }, { bad: false }] }])
  })

  it('asks who is ahead, and takes only outcomes that a quorum committed', () => {
    const bench = new Bench()
    bench.step({ type: 'message', from: ann, message: { type: 'presence', task: id, round: 2 } })
    expect(bench.effects.filter((effect) => effect.type === 'send')).toMatchObject([
      { peer: ann, message: { type: 'sync', round: 1 } },
    ])
    const decided = outcome({ round: 1, base: bench.head.base, updates: all(bench.head), model: MERGED })
    const voteOf = (author: PeerId): SignedVote =>
      signed(
        {
          kind: 'update-vote',
          body: {
            task: id,
            round: 1,
            base: bench.head.base,
            step: 'commit',
            view: 2,
            outcome: outcomeHash(decided),
            reason: null,
            scores: [],
          },
        },
        author,
      ) as SignedVote
    const learn = (votes: SignedVote[]) =>
      bench.step({
        type: 'message',
        from: ann,
        message: { type: 'commits', task: id, commits: [{ outcome: decided, view: 2, votes }] },
      })
    learn([voteOf(ann), voteOf(bob)])
    learn([voteOf(ann), voteOf(ann), voteOf(dan)])
    expect(bench.notices('refused').map(({ code }) => code)).toEqual(['bad-commit', 'bad-commit'])
    expect(bench.machine.head.round).toBe(1)
    learn([voteOf(ann), voteOf(bob), voteOf(cleo)])
    expect(bench.machine.head).toMatchObject({ round: 2, model: MERGED })
  })

  it('says that it is there while it lasts', () => {
    const bench = new Bench()
    bench.nowMs += PRESENCE_INTERVAL_MS
    bench.effects.length = 0
    bench.step({ type: 'tick' })
    expect(bench.effects).toContainEqual({ type: 'publish', message: { type: 'presence', task: id, round: 1 } })
  })
})

describe('rounds of secret updates', () => {
  const secret = () => new Bench([self, ann, bob, cleo], true, 'secure-sum')
  const ready = (bench: Bench, peer: PeerId, update: Cid | null = null) => {
    const { round, base } = bench.head
    const body = { task: id, round, base, update, norm: null, commitment: null }
    if (peer !== self) return bench.hear(signed({ kind: 'update-announcement', body }, peer))
    bench.step({ type: 'trained', base, update, norm: null, commitment: null })
  }
  const effectsOf = <T extends RoundEffect['type']>(bench: Bench, type: T) =>
    bench.effects.filter((effect) => effect.type === type) as Extract<RoundEffect, { type: T }>[]
  const masked = (peers: readonly PeerId[]) => peers.map((peer) => ({ peer, update: updateOf(peer, 9) }))

  it('[GS1] say that an update is ready, and give it to its sum only when that is durable', async () => {
    const bench = secret()
    expect(effectsOf(bench, 'watchSums').map(({ head }) => head.base)).toEqual([bench.head.base])
    ready(bench, self)
    const types = bench.effects.map(({ type }) => type)
    expect(types.indexOf('persist')).toBeGreaterThan(-1)
    expect(types.indexOf('offerUpdate')).toBeGreaterThan(types.indexOf('persist'))
    expect(effectsOf(bench, 'checkUpdate')).toEqual([])
    // After a restart it has said so: it trains no more, and puts nothing into a sum.
    const reader = {
      get: async (bucket: string, key: string) => bench.records.get(`${bucket}/${key}`),
      list: async () => [],
    }
    const { record } = await loadRounds(reader, id)
    const again = new Bench(bench.head.roster, false, 'secure-sum')
    again.step({ type: 'start', head: bench.head, record })
    again.step({ type: 'want', wants: 'in' })
    again.step({ type: 'modelReady', model: bench.head.model })
    const did = again.effects.map(({ type }) => type)
    expect(did).toContain('watchSums')
    expect(did).not.toContain('train')
    expect(did).not.toContain('offerUpdate')
  })

  it('[GS1] refuse updates that can be seen, and in plain mode ones that cannot', () => {
    const bench = secret()
    ready(bench, ann, updateOf(ann))
    expect(bench.notices('refused')).toMatchObject([{ peer: ann, code: 'wrong-mode' }])
    const plain = new Bench()
    ready(plain, ann)
    expect(plain.notices('refused')).toMatchObject([{ peer: ann, code: 'wrong-mode' }])
  })

  it('[GS4] merge what a sum had, and nothing but a sum that is known here', () => {
    const bench = secret()
    for (const peer of bench.head.roster) ready(bench, peer)
    expect(effectsOf(bench, 'sum').map(({ ready: peers }) => peers)).toEqual([bench.head.roster])
    const updates = masked([self, ann, bob])
    const proposed = bench.propose(0, { updates, model: updateOf(dan) }, bench.coordinator(0))
    expect(bench.said('accept')).toEqual([])
    bench.step({ type: 'summed', base: bench.head.base, group: 0, updates })
    const [wanted] = effectsOf(bench, 'aggregate')
    expect(wanted?.updates).toEqual(updates)
    const result = { model: updateOf(dan), state: null, worse: false }
    bench.step({ type: 'aggregated', base: bench.head.base, key: wanted?.key as Hash, result })
    expect(bench.said('accept').map(({ outcome: hash }) => hash)).toEqual([outcomeHash(proposed)])
    expect(bench.said('score')).toEqual([])
  })

  it('[GS5] merge nothing when no sum came in time, and say so', () => {
    const bench = secret()
    for (const peer of bench.head.roster) ready(bench, peer)
    bench.step({ type: 'summed', base: bench.head.base, group: 0, updates: null })
    const proposed = bench.propose(0, { skipped: 'sum-failed' })
    expect(bench.said('accept').map(({ outcome: hash }) => hash)).toEqual([outcomeHash(proposed)])
    // Whoever holds the sum does not let it be passed over.
    const holder = secret()
    for (const peer of holder.head.roster) ready(holder, peer)
    holder.step({ type: 'summed', base: holder.head.base, group: 0, updates: masked([self, ann, bob]) })
    const [wanted] = effectsOf(holder, 'aggregate')
    const result = { model: updateOf(dan), state: null, worse: false }
    holder.step({ type: 'aggregated', base: holder.head.base, key: wanted?.key as Hash, result })
    holder.propose(1, { skipped: 'sum-failed' })
    for (const peer of [ann, bob]) holder.vote(peer, { view: 1 })
    expect(holder.said('accept').find(({ view }) => view === 1)).toMatchObject({ outcome: null, reason: 'left-out' })
  })

  it('[GS6] put out whoever is proved to have broken a sum', () => {
    const bench = secret()
    for (const peer of bench.head.roster) ready(bench, peer)
    bench.step({ type: 'convicted', base: bench.head.base, peer: cleo, statements: [Uint8Array.of(1)] })
    expect(bench.notices('evidence')).toMatchObject([{ peer: cleo }])
    const gone = headAfter(
      bench.head,
      outcome({
        round: 1,
        base: bench.head.base,
        skipped: 'sum-failed',
        rejected: [{ peer: cleo, reason: 'spoiled-sum' }],
      }),
    )
    expect(gone.roster).not.toContain(cleo)
    expect(gone.removed).toEqual([cleo])
  })
})
