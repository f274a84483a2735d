/** The interface in real Chromium tabs over a real relay: by keyboard alone, on a phone, after a reload, in a second tab. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeIsUp, peersAre, SIZES, UiRoom } from './support/ui-room.ts'
import { until } from './support/until.ts'

/** A tab that joins by link on a phone must be of use within this. */
const USEFUL_MS_MAX = 10_000
const TAB_PRESSES_MAX = 80

let room: UiRoom

beforeAll(async () => {
  room = await UiRoom.open()
  await room.lenders(2)
})
afterAll(() => room.close())

/** Presses Tab until the focus is on what has this name, as somebody without a mouse would. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < TAB_PRESSES_MAX; i++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      const labels =
        element instanceof HTMLInputElement ? [...(element.labels ?? [])].map((label) => label.textContent) : []
      return [element?.getAttribute('aria-label'), ...labels, element?.textContent].filter(Boolean).join(' ').trim()
    })
    if (name.test(focused)) return
  }
  throw new Error(`${TAB_PRESSES_MAX} presses of Tab never reached ${name}`)
}

async function jobIsDone(page: Page, timeoutMs = 120_000): Promise<void> {
  await page.locator('.job-state-done').waitFor({ timeout: timeoutMs })
}

describe('the interface', () => {
  it('goes from the first visit to a finished, verified job by keyboard alone', async () => {
    const page = await room.page('/')
    await nodeIsUp(page)
    await tabTo(page, /^Start lending$/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^Lending/ }).waitFor()
    await peersAre(page, 2)
    await tabTo(page, /^Run$/)
    await page.keyboard.press('Enter')
    // The page comes in a chunk of its own: before it is there, Tab walks the page that is about to go.
    await page.waitForURL(/\/run$/)
    await page
      .getByText(/Collatz/)
      .first()
      .waitFor()
    await tabTo(page, /Collatz/)
    await page.keyboard.press('Enter')
    await page.getByRole('textbox', { name: 'Units' }).waitFor()
    await tabTo(page, /^Units/)
    await page.keyboard.press('Control+A')
    await page.keyboard.type('24')
    await tabTo(page, /^Try one unit$/)
    await page.keyboard.press('Enter')
    await page.getByText('The whole:').waitFor()
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Shift+Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/jobs\/\w+/)
    await tabTo(page, /^Units of this job/)
    await page.keyboard.press('End')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Unit 23' }).waitFor()
    await page.keyboard.press('Escape')
    await jobIsDone(page)
    await page.getByText('24 of 24 units').waitFor()
    expect(await page.locator('.figure-value').allInnerTexts()).toContain('100 %')
    await tabTo(page, /^Units of this job/)
    await page.keyboard.press('Home')
    await page.keyboard.press('Enter')
    await tabTo(page, /^Verify signature$/)
    await page.keyboard.press('Enter')
    await page.getByText('Signature holds').waitFor()
    await page.context().close()
  })

  it('joins by link on a phone and is useful within ten seconds', async () => {
    const giver = await room.page('/')
    await nodeIsUp(giver)
    await peersAre(giver, 2)
    await giver.goto(`${room.url}/run/collatz`)
    await giver.getByRole('textbox', { name: 'Units' }).fill('2000')
    await giver.getByRole('button', { name: 'Run the job' }).click()
    await giver.waitForURL(/\/jobs\/\w+/)
    const link = await giver.evaluate(async () => (await globalThis.starling?.snapshot())?.inviteUrl ?? '')
    expect(link).toBe(room.relay.link())
    const started = performance.now()
    const phone = await room.page(new URL(link).pathname, { viewport: SIZES.phone, isMobile: true, hasTouch: true })
    await phone.getByRole('button', { name: 'Start lending' }).tap({ timeout: 30_000 })
    const unitsDone = (): Promise<number> =>
      phone.evaluate(async () => (await globalThis.starling?.snapshot())?.lending.unitsDone ?? 0)
    await until('a unit done by the phone', async () => (await unitsDone()) > 0)
    const usefulMs = performance.now() - started
    console.log(
      JSON.stringify({ test: 'ui.phone-useful', value: Math.round(usefulMs), unit: 'ms', limit: USEFUL_MS_MAX }),
    )
    expect(usefulMs).toBeLessThan(USEFUL_MS_MAX)
    await phone.context().close()
    await giver.getByRole('button', { name: 'Cancel job' }).click()
    await giver.getByRole('button', { name: 'Cancel the job' }).click()
    await giver.locator('.job-state-cancelled').waitFor()
    await giver.context().close()
  })

  it('shows the same job and unit after a reload, and the picture again', async () => {
    const page = await room.page('/run/mandelbrot')
    await nodeIsUp(page)
    await peersAre(page, 2)
    await page.getByRole('textbox', { name: 'Width' }).fill('256')
    await page.getByRole('textbox', { name: 'Height' }).fill('256')
    await page.getByRole('textbox', { name: 'Tile' }).fill('64')
    await page.getByText('16 units').waitFor()
    await page.getByRole('button', { name: 'Run the job' }).click()
    await jobIsDone(page)
    await page.getByRole('grid').press('Enter')
    await page.getByRole('heading', { name: 'Unit 0' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Unit 0' }).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    const drawn = await pixelsDrawn(page)
    expect(drawn).toBe(256 * 256)
    await page.context().close()
  })

  it('tells a second tab of the same browser that it shows the first one’s node', async () => {
    const first = await room.page('/')
    await nodeIsUp(first)
    const second = await first.context().newPage()
    await second.goto(room.url)
    await second.getByText('runs in another tab').waitFor()
    const [one, two] = await Promise.all(
      [first, second].map((page) => page.evaluate(async () => (await globalThis.starling?.snapshot())?.peerId)),
    )
    expect(two).toBe(one)
    await first.close()
    await second.getByText('runs in another tab').waitFor({ state: 'detached', timeout: 30_000 })
    await second.context().close()
  })

  it('pauses for half an hour, says until when, and resumes', async () => {
    const page = await room.page('/')
    await nodeIsUp(page)
    await page.getByRole('button', { name: 'Start lending' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('menuitem', { name: 'For 30 minutes' }).click()
    await page.getByRole('heading', { name: /^Paused: by you until \d\d:\d\d/ }).waitFor()
    await page.getByRole('link', { name: 'Peers', exact: true }).click()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page
      .getByTestId('status')
      .getByText(/^Lending/)
      .waitFor()
    await page.context().close()
  })

  it('never broke its policy or threw', () => {
    expect(room.complaints).toEqual([])
  })
})

/** Opaque pixels of the picture, once it is whole or five seconds have passed. */
async function pixelsDrawn(page: Page): Promise<number> {
  let drawn = 0
  for (let i = 0; i < 20; i++) {
    drawn = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('canvas.picture')
      const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
      let opaque = 0
      for (let at = 3; at < pixels.length; at += 4) if (pixels[at] === 255) opaque++
      return opaque
    })
    if (drawn === 256 * 256) return drawn
    await page.waitForTimeout(250)
  }
  return drawn
}
