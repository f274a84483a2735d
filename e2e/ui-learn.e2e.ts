/**
 * The pages of learning: in the harness every state, clean in every look; over real nodes three tabs that create, join, train, try and save
 * by the page alone.
 */
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ANNOUNCED_TASK, RUNNING_TASK, SPENT_TASK } from '../src/testing/ui/fake-learning-tasks.ts'
import { expectClean } from './support/looks.ts'
import { buildHarness, type Harness } from './support/ui-harness.ts'
import { nodeIsUp, peersAre, SIZES, UiRoom } from './support/ui-room.ts'

describe('the pages of learning, over made-up tasks', () => {
  let harness: Harness
  let page: Page

  beforeAll(async () => {
    harness = await buildHarness()
    page = await harness.page('/learn', 'room', { viewport: SIZES.wide })
  })
  afterAll(() => harness?.close())

  it('the list says what each task is doing and why', async () => {
    await page.getByText('your privacy budget is spent').waitFor()
    await page.getByRole('link', { name: 'Irises of the garden' }).waitFor()
    expect(await page.getByRole('link', { name: 'Attack lab' }).getAttribute('href')).toBe('/learn/lab')
    await expectClean(page, 'learn-list')
  })

  it('a running task shows who was rejected and why, and what was skipped', async () => {
    await page.goto(new URL(`/learn/${RUNNING_TASK}`, page.url()).href)
    await page.getByText('training on your data, step 24 of 60').waitFor()
    await page.getByText('contradicts another that its sender signed').waitFor()
    await page.getByText('they voted it out (3 of 3 votes)').waitFor()
    await page.getByText('2 rounds skipped').click()
    await page.getByText('too few good updates came in time').waitFor()
    await page.getByRole('table').nth(1).waitFor()
    await expectClean(page, 'learn-running')
  })

  it('leaving asks first; pausing does not', async () => {
    await page.getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('alertdialog').waitFor()
    await expectClean(page, 'learn-leaving')
    await page.getByRole('button', { name: 'Stay' }).click()
    await page.getByRole('button', { name: 'Pause training' }).click()
    await page.getByRole('button', { name: 'Resume training' }).click()
    await page.getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('heading', { name: 'Join again' }).waitFor()
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Remove' }).click()
    await page.waitForURL(/\/learn$/)
    await page.getByRole('link', { name: 'Irises of the garden' }).waitFor()
    expect(await page.getByRole('link', { name: 'Digits of the reading room' }).count()).toBe(0)
  })

  it('a task to join says what stays and what leaves once a table is chosen, and refuses other files', async () => {
    await page.goto(new URL(`/learn/${ANNOUNCED_TASK}`, page.url()).href)
    const join = page.getByRole('button', { name: 'Join and train' })
    expect(await join.isDisabled()).toBe(true)
    const input = page.locator('input[type=file]').first()
    await input.setInputFiles({ name: 'cat-1.png', mimeType: 'image/png', buffer: Buffer.from([137]) })
    await page.getByText('This task learns from a table').waitFor()
    await input.setInputFiles({ name: 'iris.csv', mimeType: 'text/csv', buffer: Buffer.from('a,species\n1,setosa\n') })
    await page.getByText('What training changed in the model, after each round').waitFor()
    await page.getByText('You have no sample of: setosa').waitFor()
    await expectClean(page, 'learn-joining')
    await join.click()
    await page.getByRole('button', { name: 'Leave' }).waitFor()
  })

  it('a spent budget is said plainly, and a table can be tried', async () => {
    await page.goto(new URL(`/learn/${SPENT_TASK}`, page.url()).href)
    await page.getByText('The budget is spent: this device sends nothing more').waitFor()
    await page.getByText('enough noise to hide one among them').waitFor()
    expect(await page.getByRole('button', { name: 'Join and train' }).count()).toBe(0)
    await page.getByLabel('petal length').fill('five')
    await page.getByText('it must be a number').waitFor()
    await page.getByLabel('petal length').fill('5.1')
    await page.getByText(/It says/).waitFor()
    await expectClean(page, 'learn-spent')
  })

  it('the form refuses what does not go together at the field, and says what noise costs', async () => {
    await page.goto(new URL('/learn/new', page.url()).href)
    await page.getByText('4,000 samples').waitFor()
    await page.getByLabel('Rule that merges updates').selectOption('Bulyan')
    await page.getByText('needs 7 (n ≥ 4f + 3)').first().waitFor()
    const create = page.getByRole('button', { name: 'Create and take part' })
    await expect.poll(() => create.isDisabled()).toBe(true)
    await expectClean(page, 'learn-refused')
    await page.getByRole('button', { name: 'Ask for 7 members at least' }).click()
    await expect.poll(() => create.isDisabled()).toBe(false)
    await page.getByLabel('Updates', { exact: true }).selectOption('Secret sum')
    await page.getByText('only the plain average can merge them').first().waitFor()
    await page.getByLabel('Rule that merges updates').selectOption('Plain average')
    await page.getByText('mode is secure-sum, limit plain').first().waitFor()
    await page.getByLabel('Rule that merges updates').selectOption('Bulyan')
    await page.getByLabel('Updates', { exact: true }).selectOption('Open updates')
    await page.getByRole('switch', { name: 'Members add noise' }).click()
    await page.getByText('times as large as the largest update').waitFor()
    for (const summary of await page.locator('summary').all()) await summary.click()
    await expectClean(page, 'learn-new')
    await page.getByRole('tab', { name: 'Your own files' }).click()
    const files = { name: 'flowers.csv', mimeType: 'text/csv', buffer: Buffer.from('length,width,kind\n1,2,a\n') }
    await page.locator('input[type=file]').first().setInputFiles(files)
    await expect.poll(() => page.getByLabel('Column to predict').inputValue()).toBe('kind')
    await page.getByText('2 columns: length, width').waitFor()
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Flowers')
    await expectClean(page, 'learn-table')
  })

  it('home says in one line what is trained here', async () => {
    await page.goto(new URL('/', page.url()).href)
    await page.getByRole('link', { name: '“Digits of the reading room”' }).waitFor()
    await expectClean(page, 'learn-home')
    await page.getByRole('link', { name: '“Digits of the reading room”' }).click()
    await page.getByText('training on your data').waitFor()
  })

  it('empty, failing and unknown say so', async () => {
    const empty = await harness.page('/learn', 'alone', { viewport: SIZES.wide })
    await empty.getByText('Nobody trains anything here yet').waitFor()
    await expectClean(empty, 'learn-empty')
    await empty.context().close()
    const failing = await harness.page('/learn', 'failing', { viewport: SIZES.wide })
    await failing.getByText('The list may be old').waitFor()
    await expectClean(failing, 'learn-failing')
    await failing.context().close()
    await page.goto(new URL('/learn/nothing', page.url()).href)
    await page.getByText('This device knows no such task').waitFor()
    await expectClean(page, 'learn-unknown')
  })
})

describe('the pages of learning, over real nodes', () => {
  let room: UiRoom
  let pages: Page[]

  beforeAll(async () => {
    room = await UiRoom.open()
    pages = []
    for (let i = 0; i < 3; i++) {
      const page = await room.page('/learn')
      await nodeIsUp(page)
      pages.push(page)
    }
    for (const page of pages) await peersAre(page, 2)
  })
  afterAll(() => room?.close())

  const first = (): Page => pages[0] as Page
  /** Rounds merged so far, as the page says it. */
  const merged = async (page: Page): Promise<number> =>
    Number.parseInt(
      (await page.locator('.figure', { hasText: 'Rounds merged' }).locator('.figure-value').textContent()) ?? '',
      10,
    )

  const atLeast = (page: Page, rounds: number): Promise<void> =>
    expect.poll(() => merged(page), { timeout: 90_000 }).toBeGreaterThanOrEqual(rounds)

  it('one button starts the digits; two tabs join by the page and rounds are merged', {
    timeout: 240_000,
  }, async () => {
    await first().getByRole('button', { name: 'Train a digit classifier with the people in this room' }).click()
    await first().waitForURL(/\/learn\/[0-9a-f]{64}$/)
    for (const page of pages.slice(1)) {
      await page.getByRole('link', { name: 'Digits' }).click()
      await page.getByText('What training changed in the model, after each round').waitFor({ timeout: 60_000 })
      await page.getByRole('button', { name: 'Join and train' }).click()
    }
    for (const page of pages) await atLeast(page, 1)
    // One pauses, resumes, leaves and comes back; the others wait for it and go on.
    const page = pages[2] as Page
    await page.getByRole('button', { name: 'Pause training' }).click()
    await page.getByText('Paused', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Resume training' }).click()
    await page.getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('heading', { name: 'Join again' }).waitFor()
    await page.getByRole('button', { name: 'Join and train' }).click()
    const before = await merged(first())
    for (const each of pages) await atLeast(each, before + 2)
    await first().locator('.plot canvas').first().waitFor()
    await expectClean(first(), 'learn-real')
  })

  it('a drawn digit gets a prediction: by pointer, by keys and by a button', { timeout: 120_000 }, async () => {
    const page = first()
    await atLeast(page, 6)
    await page.getByRole('button', { name: 'Write a 7' }).click()
    await expect.poll(() => page.locator('.learn-verdict-word').textContent()).toMatch(/It says \d/)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByText('The model says nothing yet').waitFor()
    // Clear of the status line, which stays at the top.
    await page.locator('.learn-canvas').evaluate((canvas) => canvas.scrollIntoView({ block: 'center' }))
    const box = await page.locator('.learn-canvas').boundingBox()
    if (box === null) throw new Error('There is no sheet')
    const at = (x: number, y: number): [number, number] => [box.x + x * box.width, box.y + y * box.height]
    await page.mouse.move(...at(0.5, 0.15))
    await page.mouse.down()
    for (let step = 1; step <= 10; step++) await page.mouse.move(...at(0.5, 0.15 + 0.07 * step))
    await page.mouse.up()
    await expect.poll(() => page.locator('.learn-verdict-word').textContent()).toMatch(/It says \d/)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByText('The model says nothing yet').waitFor()
    await page.getByRole('application').focus()
    await page.keyboard.press('Space')
    for (let step = 0; step < 8; step++) await page.keyboard.press('ArrowDown')
    await expect.poll(() => page.locator('.learn-verdict-word').textContent()).toMatch(/It says \d/)
  })

  it('the model is saved as a file that parses', async () => {
    const page = first()
    await page.getByRole('button', { name: 'Save model' }).click()
    const saved = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: 'safetensors' }).click()
    const download = await saved
    expect(download.suggestedFilename()).toBe('digits.safetensors')
    const file = readFileSync(await download.path())
    const header = Number(file.readBigUInt64LE(0))
    const tensors: unknown = JSON.parse(file.subarray(8, 8 + header).toString())
    expect(Object.keys(tensors as object).length).toBeGreaterThanOrEqual(4)
    await page.getByRole('button', { name: 'Save model' }).click()
    const onnx = page.waitForEvent('download')
    await page.getByRole('menuitem', { name: 'ONNX' }).click()
    expect((await onnx).suggestedFilename()).toBe('digits.onnx')
  })

  it('a table of one’s own becomes a task; a member with other columns is refused, one with the same joins', {
    timeout: 180_000,
  }, async () => {
    const [creator, member] = pages as [Page, Page]
    await creator.goto(`${room.url}/learn/new`)
    await creator.getByText('4,000 samples').waitFor()
    await creator.getByRole('tab', { name: 'Your own files' }).click()
    const table = { name: 'leaves.csv', mimeType: 'text/csv', buffer: Buffer.from(leaves(90)) }
    await creator.locator('input[type=file]').first().setInputFiles(table)
    await creator.getByText('3 columns: length, width, soil').waitFor()
    await creator.getByLabel('Rule that merges updates').selectOption('Plain average')
    await creator.getByLabel('Members at least').fill('2')
    await creator.getByLabel('Members hoped for').fill('2')
    await creator.getByLabel('Rounds').fill('5')
    await creator.getByRole('button', { name: 'Create and take part' }).click()
    await creator.waitForURL(/\/learn\/[0-9a-f]{64}$/)
    await member.goto(`${room.url}/learn`)
    await member.getByRole('link', { name: 'Leaves' }).click()
    const input = member.locator('input[type=file]').first()
    await input.setInputFiles({
      name: 'other.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('a,kind\n1,oak\n2,elm\n'),
    })
    await member.getByText('Table lacks the columns: length, width, soil').waitFor()
    await input.setInputFiles(table)
    await member.getByRole('button', { name: 'Join and train' }).click()
    for (const page of [creator, member]) await atLeast(page, 5)
    await creator.getByText('Done', { exact: true }).waitFor()
    await creator.getByLabel('length').fill('9')
    await creator.getByLabel('width').fill('1')
    await expect.poll(() => creator.locator('.learn-verdict-word').textContent()).toMatch(/It says (oak|elm)/)
    await expectClean(creator, 'learn-real-table')
  })

  it('no page broke the policy or threw', () => {
    expect(room.complaints).toEqual([])
  })
})

/** A table in which the longer and thinner leaves are of elms. */
function leaves(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const elm = row % 2 === 0
    const noise = ((row * 7) % 13) / 13
    return `${(elm ? 8 : 4) + noise},${(elm ? 1 : 3) + noise / 2},${row % 3 === 0 ? 'clay' : 'sand'},${elm ? 'elm' : 'oak'}`
  })
  return `length,width,soil,kind\n${lines.join('\n')}\n`
}
