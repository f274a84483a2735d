/**
 * Goal: members of a secure sum prove the norms of updates that nobody sees. Method: four tabs, whose sums are not taken without everybody's proof. What
 * becomes of false proofs is shown in src/node/learning-book.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LearningTaskDetail } from '../src/node/learning-contract.ts'
import { Room, type Tab } from './support/room.ts'
import { until } from './support/until.ts'

const detail = (tab: Tab, task: string): Promise<LearningTaskDetail | null> =>
  tab.page.evaluate((id) => starling.learningTask(id), task)

async function reaches(tab: Tab, task: string, check: (detail: LearningTaskDetail) => boolean): Promise<void> {
  const reached = async () => {
    const now = await detail(tab, task)
    return now !== null && check(now)
  }
  await until('the task to get there', reached, 150_000).catch(async (error: Error) => {
    const logs = await tab.page.evaluate(() => starling.logs())
    const lines = logs.filter(({ scope }) => scope === 'learning').map(({ message }) => message)
    throw new Error(`${error.message}: ${JSON.stringify(await detail(tab, task))} ${lines.slice(-30).join('\n')}`)
  })
}

describe('[Z7] members that prove what nobody sees', () => {
  let room: Room
  beforeAll(async () => {
    room = await Room.open()
  })
  afterAll(() => room?.close())

  it('merge proved updates in every round', { timeout: 240_000 }, async () => {
    const tabs: Tab[] = []
    for (let index = 0; index < 4; index++) tabs.push(await room.tab({ lend: false }))
    const [first] = tabs as [Tab]
    const task = await first.page.evaluate((spec) => starling.createLearningTask(spec), {
      name: 'Digits',
      description: 'Handwritten digits',
      architecture: { kind: 'mlp', inputs: 196, hidden: [8], outputs: 10 } as const,
      classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
      options: {
        rule: { rule: 'mean', byzantineMax: 0 } as const,
        mode: 'secure-sum' as const,
        proofs: 62,
        localSteps: 30,
        voteMs: 2_000,
        rounds: 2,
        participantsMin: 3,
        participantsTarget: 4,
      },
    })
    for (const [index, tab] of tabs.entries()) {
      await until('the task to be known', async () => (await detail(tab, task)) !== null)
      const leaves = await tab.page.evaluate(
        async ([id, part]) => {
          const data = { kind: 'bundled', name: 'digits', part: { index: part, of: 4 } } as const
          const preview = await starling.previewLearning(id, data)
          await starling.joinLearning(id, data)
          return preview.leaves.map(({ code }) => code)
        },
        [task, index] as const,
      )
      expect(leaves).toContain('norm-proof')
      expect(leaves).not.toContain('update')
    }
    for (const tab of tabs) await reaches(tab, task, ({ state }) => state === 'done')
    const details = await Promise.all(tabs.map((tab) => detail(tab, task)))
    expect(new Set(details.map((each) => each?.modelHash)).size).toBe(1)
    for (const each of details) {
      expect(each?.options.proofs).toBe(62)
      const points = each?.roundPoints ?? []
      expect(points.filter(({ outcome }) => outcome === 'merged').map(({ merged }) => merged)).toEqual([4, 4])
      expect(each?.rejections).toEqual([])
    }
  })
})
