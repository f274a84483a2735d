/**
 * Goal: learning tasks from the contract down to the arithmetic, in every mode. Method: real books, workers' services in this thread, and a network
 * that is a few maps.
 */
import { afterEach, describe, expect, it } from 'vitest'
import type { Cid, PeerId } from '../core/codec/ids.ts'
import { MEMBER_SILENCE_MS } from '../core/learning/limits.ts'
import { decodeCommit } from '../core/learning/message-codec.ts'
import type { RoundOutcome } from '../core/learning/messages.ts'
import { LEARNING_BUCKETS } from '../core/learning/round-records.ts'
import type { Network } from '../net/network.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { testSigner } from '../testing/signers.ts'
import { directAggregator } from '../workers/aggregation/aggregator.ts'
import type { Aggregator } from '../workers/aggregation/contract.ts'
import { loadKernel } from '../workers/aggregation/load.node.ts'
import { directProofs } from '../workers/proofs/client.ts'
import type { Proofs } from '../workers/proofs/contract.ts'
import { loadEngine } from '../workers/proofs/load.node.ts'
import { ProofService } from '../workers/proofs/service.ts'
import { DATASETS_MAX } from '../workers/training/limits.ts'
import { nodePlatform } from '../workers/training/platform.node.ts'
import { TrainingService } from '../workers/training/service.ts'
import { BLOCKS_BUCKET, BlockStore } from './block-store.ts'
import { LearningBook } from './learning-book.ts'
import type { LearningOptions, LearningTaskDetail } from './learning-contract.ts'
import { Log } from './log.ts'
import type { NodePorts } from './ports.ts'
import { SecurityLog } from './security-log.ts'
import { StatementGate } from './statement-gate.ts'
import { PlatformVerifier } from './verifier.ts'

type Receive = (peer: string, bytes: Uint8Array) => void

/** Everybody is linked to everybody; what is sent arrives a moment later. */
class Hub {
  readonly members = new Map<
    PeerId,
    { topics: Map<string, Receive>; direct: Map<string, Receive>; blocks: BlockStore }
  >()
  readonly gone = new Set<PeerId>()
  /** How far all clocks are ahead. */
  skewMs = 0

  join(self: PeerId, blocks: BlockStore): Network {
    const topics = new Map<string, Receive>()
    const direct = new Map<string, Receive>()
    this.members.set(self, { topics, direct, blocks })
    const later = (to: PeerId, receive: Receive | undefined, bytes: Uint8Array) =>
      setTimeout(() => {
        if (!this.gone.has(self) && !this.gone.has(to)) receive?.(self, bytes)
      }, 1)
    const network = {
      on: () => () => undefined,
      handle: (protocol: string, receive: Receive) => {
        direct.set(protocol, receive)
        return () => direct.delete(protocol)
      },
      subscribe: (topic: string, receive: Receive) => {
        topics.set(topic, receive)
        return () => topics.delete(topic)
      },
      publish: async (topic: string, bytes: Uint8Array) => {
        for (const [peer, member] of this.members) if (peer !== self) later(peer, member.topics.get(topic), bytes)
      },
      send: (peer: PeerId, protocol: string, bytes: Uint8Array) =>
        later(peer, this.members.get(peer)?.direct.get(protocol), bytes),
    }
    // The book uses these five.
    return network as unknown as Network
  }

  async fetch(self: PeerId, cid: Cid, from: readonly PeerId[]): Promise<Uint8Array> {
    for (const peer of [self, ...from]) {
      if (this.gone.has(peer)) continue
      const found = await this.members.get(peer)?.blocks.get(cid)
      if (found !== undefined) return found
    }
    throw new Error(`Nobody has ${cid}`)
  }
}

const kernel = await loadKernel()
const proofs = directProofs(
  new ProofService(await loadEngine(), { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) }),
)
const open: LearningBook[] = []
afterEach(() => {
  for (const book of open.splice(0)) book.stop()
})

interface Member {
  readonly self: PeerId
  readonly book: LearningBook
  readonly blocks: BlockStore
  readonly store: MemoryStore
  readonly log: Log
}

/**
 * @param own - What this member computes sums and proofs with.
 * @param store - Of an earlier start.
 */
async function member(
  hub: Hub,
  index: number,
  own: Partial<Aggregator & Proofs> = {},
  store = new MemoryStore(),
): Promise<Member> {
  const signer = testSigner(index)
  const self = signer.author
  const blocks = new BlockStore(store)
  const network = hub.join(self, blocks)
  const verifier = new PlatformVerifier()
  const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))
  const log = new Log()
  const security = await SecurityLog.open({ store, now: Date.now })
  const statements = await StatementGate.open({
    network: 'here',
    verifier,
    store,
    now: Date.now,
    clockCorrectionMs: () => 0,
    random,
    onSecurityEvent: () => undefined,
  })
  const ports = {
    self,
    networkId: 'here',
    signer,
    verifier,
    store,
    blocks,
    source: { fetch: (cid: Cid, from: readonly PeerId[]) => hub.fetch(self, cid, from) },
    log,
    security,
    statements,
    now: () => Date.now() + hub.skewMs,
    random,
  }
  const training = new TrainingService({ platform: nodePlatform, engines: ['reference'] })
  const book = new LearningBook({
    // Without what learning has no use for: sandbox, identity, admission.
    ports: ports as unknown as NodePorts,
    network,
    workers: {
      training: () => Object.assign(training, { terminate: () => undefined }),
      aggregation: () => ({ ...directAggregator(kernel), ...own }),
      proofs: () => ({ ...proofs, ...own }),
      stop: () => undefined,
    },
    isBarred: () => false,
    onModelUpdate: () => undefined,
  })
  open.push(book)
  await book.start()
  return { self, book, blocks, store, log }
}

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

async function train(members: readonly Member[], options: Partial<LearningOptions>): Promise<string> {
  const [creator] = members as [Member]
  const task = await creator.book.createLearningTask({
    name: 'Digits',
    description: '',
    architecture: { kind: 'mlp', inputs: 196, hidden: [], outputs: 10 },
    classes: CLASSES,
    options: {
      rounds: 1,
      localSteps: 5,
      participantsMin: 3,
      participantsTarget: members.length,
      // All members share this one thread: none is left out because another is at work.
      joinMs: 30_000,
      voteMs: 500,
      rule: { rule: 'mean', byzantineMax: 0 },
      ...options,
    },
  })
  for (const [index, { book }] of members.entries()) {
    await expect.poll(() => book.learningTask(task), { timeout: 15_000 }).not.toBeNull()
    await book.joinLearning(task, { kind: 'bundled', name: 'digits', part: { index, of: members.length } })
  }
  return task
}

async function ends(members: readonly Member[], task: string): Promise<LearningTaskDetail[]> {
  const details: LearningTaskDetail[] = []
  for (const { book, log } of members) {
    const state = async () => (await book.learningTask(task))?.state
    await expect
      .poll(state, { timeout: 60_000 })
      .toBe('done')
      .catch(async (cause: Error) => {
        const lines = log.entries().map(({ message }) => message)
        throw new Error(`${JSON.stringify(await book.learningTask(task))}\n${lines.slice(-30).join('\n')}`, { cause })
      })
    details.push((await book.learningTask(task)) as LearningTaskDetail)
  }
  return details
}

async function room(count: number): Promise<Member[]> {
  const hub = new Hub()
  const members: Member[] = []
  for (let index = 0; index < count; index++) members.push(await member(hub, index))
  return members
}

/** Every block that a member holds, and so would give to whoever asks. */
async function blocksOf({ store }: Member): Promise<string[]> {
  const held: string[] = []
  for await (const [cid] of store.list(BLOCKS_BUCKET, '')) held.push(cid)
  return held
}

/** What the last outcome says was merged. */
async function mergedIn({ store }: Member, task: string): Promise<RoundOutcome['updates']> {
  let last: RoundOutcome | null = null
  for await (const [, stored] of store.list(LEARNING_BUCKETS.commits, `${task}/`)) last = decodeCommit(stored).outcome
  return last?.updates ?? []
}

describe('the book of learning tasks', () => {
  it('[GS1] merges updates that nobody saw', { timeout: 120_000 }, async () => {
    const members = await room(4)
    const task = await train(members, {
      mode: 'secure-sum',
      privacy: { mode: 'distributed', noiseMultiplier: 0.5, epsilonMax: 100, delta: 1e-5 },
    })
    const preview = await (members[0] as Member).book.previewLearning(task, { kind: 'bundled', name: 'digits' })
    expect(preview.leaves.map(({ code }) => code)).toEqual(['masked-update', 'votes', 'presence'])
    const details = await ends(members, task)
    expect(new Set(details.map(({ modelHash }) => modelHash)).size).toBe(1)
    for (const { roundPoints, contributions, privacy } of details) {
      expect(roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 4 })
      expect(contributions.map(({ lastNorm }) => lastNorm)).toEqual([null, null, null, null])
      expect(privacy?.epsilonSpent).toBeGreaterThan(1)
    }
    // Models and masked vectors are all that anyone could get.
    const masked = (await mergedIn(members[0] as Member, task)).map(({ update }) => update as string)
    expect(masked).toHaveLength(4)
    const models = details[0]?.roundPoints.map(({ modelHash }) => modelHash) ?? []
    for (const each of members)
      for (const cid of await blocksOf(each)) expect([...masked, ...models], each.self).toContain(cid)
  })

  it('[GS3] goes on without a member that vanishes before it masks', { timeout: 120_000 }, async () => {
    const hub = new Hub()
    const members: Member[] = []
    for (let index = 0; index < 3; index++) members.push(await member(hub, index))
    const vanishing = testSigner(3).author
    const sum = () => {
      hub.gone.add(vanishing)
      return new Promise<Int32Array>(() => undefined)
    }
    const task = await train([...members, await member(hub, 3, { sum })], { mode: 'secure-sum' })
    const details = await ends(members, task)
    expect(new Set(details.map(({ modelHash }) => modelHash)).size).toBe(1)
    expect(hub.gone.size).toBe(1)
    expect(details[0]?.roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 3 })
  })

  it('[GS7] merges the means of groups by a robust rule', { timeout: 120_000 }, async () => {
    const members = await room(12)
    const task = await train(members, {
      mode: 'grouped',
      rule: { rule: 'median', byzantineMax: 1 },
      participantsMin: 12,
      localSteps: 2,
      // Twelve members in one thread are slow.
      voteMs: 10_000,
    })
    const details = await ends(members, task)
    expect(new Set(details.map(({ modelHash }) => modelHash)).size).toBe(1)
    expect(details[0]?.roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 12 })
  })

  it('[Z7] merges updates that are proved and seen by nobody', { timeout: 120_000 }, async () => {
    const members = await room(4)
    const task = await train(members, {
      mode: 'secure-sum',
      proofs: 62,
      privacy: { mode: 'distributed', noiseMultiplier: 0.5, epsilonMax: 100, delta: 1e-5 },
    })
    const preview = await (members[0] as Member).book.previewLearning(task, { kind: 'bundled', name: 'digits' })
    expect(preview.leaves.map(({ code }) => code)).toEqual(['masked-update', 'norm-proof', 'votes', 'presence'])
    const details = await ends(members, task)
    expect(new Set(details.map(({ modelHash }) => modelHash)).size).toBe(1)
    for (const { roundPoints, options } of details) {
      expect(options.proofs).toBe(62)
      expect(roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 4 })
    }
  })

  it('[Z7] puts out a member whose proof is false, and goes on without it', { timeout: 120_000 }, async () => {
    const hub = new Hub()
    const members: Member[] = []
    for (let index = 0; index < 3; index++) members.push(await member(hub, index))
    const prove: Proofs['prove'] = async (request) => {
      const proof = await proofs.prove(request)
      return proof.with(proof.length - 1_000, (proof.at(-1_000) ?? 0) ^ 1)
    }
    const liar = await member(hub, 3, { prove })
    const task = await train([...members, liar], { mode: 'secure-sum', proofs: 62 })
    for (const { rejections, roundPoints } of await ends(members, task)) {
      expect(rejections.map(({ peerId, reason }) => [peerId, reason.code])).toEqual([[liar.self, 'bad-proof']])
      expect(roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 3 })
      expect(roundPoints.some(({ outcome }) => outcome === 'skipped')).toBe(true)
    }
  })

  it('[Z6] takes no sum in which a member masked another update than it committed to', {
    timeout: 120_000,
  }, async () => {
    const hub = new Hub()
    const members: Member[] = []
    for (let index = 0; index < 3; index++) members.push(await member(hub, index))
    let lies = 0
    const sum: Aggregator['sum'] = async (work) => {
      const values = await directAggregator(kernel).sum(work)
      // Its own vector is masked alone; in the first round it is another than was committed to.
      return work.vectors.length === 1 && lies++ === 0 ? values.with(0, (values[0] ?? 0) + 60_000) : values
    }
    members.push(await member(hub, 3, { sum }))
    const task = await train(members, { mode: 'secure-sum', proofs: 62 })
    for (const { rejections, roundPoints } of await ends(members, task)) {
      expect(rejections).toEqual([])
      expect(roundPoints.at(-1)).toMatchObject({ outcome: 'merged', merged: 4 })
      expect(roundPoints.filter(({ outcome }) => outcome === 'merged')).toHaveLength(1)
    }
    expect(lies).toBeGreaterThan(1)
  })

  it('[Z7] refuses proofs that could not be made', async () => {
    const [creator] = (await room(1)) as [Member]
    const refused = (options: Partial<LearningOptions>) =>
      train([creator], { participantsTarget: 20, proofs: 62, ...options }).catch((error: Error) => error.message)
    expect(await refused({})).toMatch('task.proofs is plain mode, limit a secure mode')
    expect(await refused({ mode: 'secure-sum', clipNorm: 0.01 })).toMatch('task.clipNorm is 655, limit at least 4096')
    expect(await refused({ mode: 'secure-sum', proofs: 6 })).toMatch('proofs')
  })

  it('[GS7] refuses sums that could not be, naming field, value and limit', async () => {
    const [creator] = (await room(1)) as [Member]
    const refused = (options: Partial<LearningOptions>) =>
      train([creator], { participantsTarget: 20, ...options }).catch((error: Error) => error.message)
    expect(await refused({ mode: 'secure-sum', participantsMin: 2 })).toMatch('task.participantsMin is 2, limit 3')
    expect(await refused({ mode: 'secure-sum', clipNorm: 400 })).toMatch('limit 2147483647')
    const rule = { rule: 'median', byzantineMax: 1 } as const
    expect(await refused({ mode: 'grouped', rule })).toMatch('task.participantsMin is 3, limit 12: 3 groups of 4')
  })

  it('keeps more done tasks than it has room for data to train on, over a restart too', {
    timeout: 120_000,
  }, async () => {
    const hub = new Hub()
    const members = [await member(hub, 0), await member(hub, 1)] as const
    const tasks: string[] = []
    for (let made = 0; made <= DATASETS_MAX; made++) {
      const task = await train(members, { localSteps: 1, participantsMin: 2 })
      await ends(members, task)
      tasks.push(task)
    }
    const [{ book, store }] = members
    book.stop()
    const again = await member(hub, 0, {}, store)
    const states = (await again.book.learningTasks()).map(({ state }) => state)
    expect(states).toEqual(tasks.map(() => 'done'))
    const [first = ''] = tasks
    expect((await again.book.learningTask(first))?.samples).toBeGreaterThan(1_000)
    const scored = async () =>
      (await again.book.learningConfusion(first))?.counts.reduce((sum, count) => sum + count, 0)
    // The model of the last round is read first.
    await expect.poll(scored, { timeout: 15_000 }).toBe((await again.book.learningTask(first))?.heldOut)
  })

  it('[G5] says when too few members are left to agree, and that they are waited for', {
    timeout: 120_000,
  }, async () => {
    const hub = new Hub()
    const members = [await member(hub, 0), await member(hub, 1), await member(hub, 2)] as const
    const [{ book }, second, third] = members
    const task = await train(members, { rounds: 50, trainMs: 60_000 })
    const summary = async () => (await book.learningTasks()).find(({ taskId }) => taskId === task)
    await expect.poll(async () => (await summary())?.roundsDone, { timeout: 60_000 }).toBeGreaterThan(0)
    hub.gone.add(second.self).add(third.self)
    hub.skewMs = MEMBER_SILENCE_MS + 1_000
    await expect
      .poll(async () => (await summary())?.reason, { timeout: 60_000 })
      .toEqual({ code: 'quorum-missing', detail: '1/2' })
    expect((await summary())?.state).toBe('waiting')
    const done = (await summary())?.roundsDone ?? 0
    hub.gone.clear()
    await expect.poll(async () => (await summary())?.roundsDone, { timeout: 60_000 }).toBeGreaterThan(done)
  })

  it('[D6] stops when the budget of its own noise is spent', { timeout: 120_000 }, async () => {
    const members = await room(3)
    const task = await train(members, {
      rounds: 5,
      privacy: { mode: 'local', noiseMultiplier: 1, epsilonMax: 12, delta: 1e-5 },
    })
    for (const { book } of members) {
      const reason = async () => (await book.learningTask(task))?.reason?.code
      await expect.poll(reason, { timeout: 60_000 }).toBe('budget-spent')
      const detail = await book.learningTask(task)
      expect(detail).toMatchObject({ state: 'stopped', privacy: { mode: 'local', roundsLeft: 0 } })
      expect(detail?.privacy?.epsilonSpent).toBeGreaterThan(6)
      expect(detail?.privacy?.epsilonSpent).toBeLessThanOrEqual(12)
    }
  })
})
