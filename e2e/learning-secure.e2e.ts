/**
 * Goals: tabs train digits although nobody sees an update, with noise that they add together; one tab closes in the middle of a secure sum, and the
 * round ends all the same. With noise of its own, a tab stops when its budget is spent.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LearningOptions, LearningTaskDetail } from '../src/node/learning-contract.ts'
import { Room, type Tab } from './support/room.ts'
import { until } from './support/until.ts'

const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

const detail = (tab: Tab, task: string): Promise<LearningTaskDetail | null> =>
  tab.page.evaluate((id) => starling.learningTask(id), task)

async function create(tab: Tab, options: Partial<LearningOptions>): Promise<string> {
  return tab.page.evaluate((spec) => starling.createLearningTask(spec), {
    name: 'Digits',
    description: 'Handwritten digits',
    architecture: { kind: 'mlp', inputs: 196, hidden: [8], outputs: 10 } as const,
    classes: CLASSES,
    options: { rule: { rule: 'mean', byzantineMax: 0 } as const, localSteps: 30, voteMs: 5_000, ...options },
  })
}

/** @returns What would leave each tab, by code. */
async function join(tabs: readonly Tab[], task: string): Promise<string[][]> {
  const leaves: string[][] = []
  for (const [index, tab] of tabs.entries()) {
    await until('the task to be known', async () => (await detail(tab, task)) !== null)
    const codes = await tab.page.evaluate(
      async ([id, part, of]) => {
        const data = { kind: 'bundled', name: 'digits', part: { index: part, of } } as const
        const preview = await starling.previewLearning(id, data)
        await starling.joinLearning(id, data)
        return preview.leaves.map(({ code }) => code)
      },
      [task, index, tabs.length] as const,
    )
    leaves.push(codes)
  }
  return leaves
}

const logsOf = async (tab: Tab): Promise<string[]> => {
  const logs = await tab.page.evaluate(() => starling.logs())
  return logs.filter(({ scope }) => scope === 'learning').map(({ message }) => message)
}

async function reaches(tab: Tab, task: string, check: (detail: LearningTaskDetail) => boolean): Promise<void> {
  const reached = async () => {
    const now = await detail(tab, task)
    return now !== null && check(now)
  }
  await until('the task to get there', reached, 120_000).catch(async (error: Error) => {
    const lines = await logsOf(tab)
    throw new Error(`${error.message}: ${JSON.stringify(await detail(tab, task))} ${lines.slice(-30).join('\n')}`)
  })
}

/** Put before the node worker: the tab deals its shares and never masks its update, as one that closes in between. */
const NEVER_MASKS = `{
  const post = Worker.prototype.postMessage
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message?.job?.type !== 'sum') return post.call(this, message, ...rest)
  }
}`

describe('tabs that train without showing their updates', () => {
  let room: Room
  beforeAll(async () => {
    room = await Room.open()
  })
  afterAll(() => room?.close())

  it('sum up in secret with shared noise, and go on when one closes in the middle', { timeout: 240_000 }, async () => {
    const tabs: Tab[] = []
    for (let index = 0; index < 3; index++) tabs.push(await room.tab({ lend: false }))
    const last = await room.tab({ lend: false, nodeWorkerPrelude: NEVER_MASKS })
    tabs.push(last)
    const [first] = tabs as [Tab]
    const task = await create(first, {
      mode: 'secure-sum',
      rounds: 2,
      participantsMin: 3,
      participantsTarget: 4,
      // A tight clip: noise for a larger one would make the model of three tabs worse than none.
      clipNorm: 0.5,
      privacy: { mode: 'distributed', noiseMultiplier: 0.5, epsilonMax: 100, delta: 1e-5 },
    })
    for (const codes of await join(tabs, task)) {
      expect(codes).toContain('masked-update')
      expect(codes).not.toContain('update')
    }
    const isMidSum = async () => (await logsOf(last)).some((line) => line.includes('mask stage of 4'))
    await until('the middle of a sum', isMidSum, 60_000).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await detail(first, task))} ${await logsOf(last)}`)
    })
    await last.close()
    const left = tabs.slice(0, 3)
    for (const tab of left) await reaches(tab, task, ({ roundsDone }) => roundsDone === 1)
    const afterFirst = await detail(first, task)
    console.info(`first round: ${JSON.stringify(afterFirst?.roundPoints.at(-1))}`)
    const merged = afterFirst?.roundPoints.filter(({ outcome }) => outcome === 'merged')
    expect(merged?.map((point) => point.merged)).toEqual([3])
    expect(afterFirst?.privacy?.mode).toBe('distributed')
    expect(afterFirst?.privacy?.epsilonSpent).toBeGreaterThan(1)
    for (const tab of left) await reaches(tab, task, ({ state }) => state === 'done')
    const details = await Promise.all(left.map((tab) => detail(tab, task)))
    expect(new Set(details.map((each) => each?.modelHash)).size).toBe(1)
    for (const each of details) {
      expect(each?.contributions.every(({ lastNorm }) => lastNorm === null)).toBe(true)
      // Each round costs more than the ones before; what the first one cost is in its point of the curve.
      expect(each?.privacy?.epsilonSpent).toBeGreaterThan(merged?.[0]?.epsilon ?? Number.POSITIVE_INFINITY)
      expect(each?.privacy?.epsilonSpent).toBeLessThanOrEqual(100)
    }
    console.info(`ε ${details[0]?.privacy?.epsilonSpent}, accuracy ${details[0]?.accuracy}`)
  })

  it('stop when the budget of their own noise is spent', { timeout: 180_000 }, async () => {
    const tabs = [await room.tab({ lend: false }), await room.tab({ lend: false }), await room.tab({ lend: false })]
    const [first] = tabs as [Tab]
    const task = await create(first, {
      rounds: 5,
      participantsMin: 3,
      participantsTarget: 3,
      privacy: { mode: 'local', noiseMultiplier: 1, epsilonMax: 12, delta: 1e-5 },
    })
    await join(tabs, task)
    for (const tab of tabs) await reaches(tab, task, ({ reason }) => reason?.code === 'budget-spent')
    for (const each of await Promise.all(tabs.map((tab) => detail(tab, task)))) {
      expect(each?.state).toBe('stopped')
      expect(each?.roundPoints.some(({ epsilon }) => (epsilon ?? 0) > 6)).toBe(true)
      expect(each?.privacy).toMatchObject({ mode: 'local', roundsLeft: 0 })
      expect(each?.privacy?.epsilonSpent).toBeGreaterThan(6)
      expect(each?.privacy?.epsilonSpent).toBeLessThanOrEqual(12)
    }
  })
})
