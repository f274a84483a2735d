/**
 * Axe on every page, light and dark, wide and phone-sized, over a real node with a real job; the states that are hard to bring
 * about (refused, offline, failing) over the fake one of the harness.
 */

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectAccessible } from './support/looks.ts'
import { buildHarness, type Harness } from './support/ui-harness.ts'
import { nodeIsUp, peersAre, UiRoom } from './support/ui-room.ts'

describe('axe over a real node', () => {
  let room: UiRoom
  let page: Page
  let jobId: string

  beforeAll(async () => {
    room = await UiRoom.open()
    await room.lenders(1)
    page = await room.page('/')
    await nodeIsUp(page)
    await peersAre(page, 1)
  })
  afterAll(() => room.close())

  it('first visit', async () => {
    await page.getByRole('button', { name: 'Start lending' }).waitFor()
    await expectAccessible(page, 'first visit')
  })

  it('jobs, empty', async () => {
    await page.goto(`${room.url}/jobs`)
    await page.getByText('No jobs yet').waitFor()
    await expectAccessible(page, 'empty jobs')
  })

  it('home while lending, and its pause menu', async () => {
    await page.goto(room.url)
    await page.getByRole('button', { name: 'Start lending' }).click()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('menuitem', { name: 'For 30 minutes' }).waitFor()
    await expectAccessible(page, 'pause menu')
    await page.keyboard.press('Escape')
    await page.getByRole('img', { name: 'QR code of the link' }).waitFor()
    await expectAccessible(page, 'home')
  })

  it('run, with a dry run', async () => {
    await page.goto(`${room.url}/run/collatz`)
    await page.getByRole('button', { name: 'Try one unit' }).click()
    await page.getByText('The whole:').waitFor()
    await page.getByText('Limits of one unit').click()
    await page.getByText('Prices', { exact: true }).click()
    await expectAccessible(page, 'run')
  })

  it('run, one’s own program', async () => {
    await page.goto(`${room.url}/run/own`)
    await page.locator('input[type=file]').first().setInputFiles('examples/ray-tracer/ray-tracer.wasm')
    await page.getByText('WASI command').waitFor()
    await expectAccessible(page, 'own program')
    await page.locator('input[type=file]').first().setInputFiles('package.json')
    await page.getByText('package.json was refused').waitFor()
    await expectAccessible(page, 'a refused program')
  })

  it('job, running, by peer, with a unit open, and done', async () => {
    await page.goto(`${room.url}/run/collatz`)
    await page.getByRole('textbox', { name: 'Units' }).fill('60')
    await page.getByRole('button', { name: 'Run the job' }).click()
    await page.waitForURL(/\/jobs\/\w+/)
    jobId = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    await page.getByRole('grid').waitFor()
    await expectAccessible(page, 'job')
    await page.getByRole('switch', { name: 'Colour by peer' }).click()
    await page.getByText('Done', { exact: true }).nth(1).waitFor({ timeout: 120_000 })
    await page.getByText('Steps until 1').waitFor()
    await expectAccessible(page, 'job, done')
    await page.goto(`${room.url}/jobs/${jobId}?unit=3`)
    await page.getByRole('button', { name: 'Verify signature' }).first().click()
    await page.getByText('Signature holds').waitFor()
    await expectAccessible(page, 'unit')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('alertdialog').waitFor()
    await expectAccessible(page, 'removing')
    await page.keyboard.press('Escape')
  })

  it('jobs', async () => {
    await page.goto(`${room.url}/jobs`)
    await page.getByRole('link', { name: 'Collatz search' }).waitFor()
    await expectAccessible(page, 'jobs')
  })

  it('peers, with one selected', async () => {
    await page.goto(`${room.url}/peers`)
    for (const order of ['ascending', 'descending']) {
      await page.getByRole('columnheader', { name: 'Peer' }).getByRole('button').press('Enter')
      await page.locator(`th[aria-sort=${order}]`, { hasText: 'Peer' }).waitFor()
    }
    await page.locator('.table-choose').first().click()
    await page.getByRole('button', { name: 'Copy peer id' }).waitFor()
    await expectAccessible(page, 'peers')
  })

  it('identity, with every form open', async () => {
    await page.goto(`${room.url}/identity`)
    await page.getByText('This identity is only here').waitFor()
    for (const summary of await page.locator('summary').all()) await summary.click()
    await expectAccessible(page, 'identity')
    await page.getByRole('button', { name: 'Revoke the identity' }).click()
    await page.getByRole('alertdialog').waitFor()
    await expectAccessible(page, 'revoking')
    await page.keyboard.press('Escape')
  })

  it('diagnostics, after a check', async () => {
    await page.goto(`${room.url}/diagnostics`)
    await page.getByRole('button', { name: 'Check the network' }).click()
    await page.getByText('Relay answers').waitFor({ timeout: 60_000 })
    await page.getByRole('combobox', { name: 'Metric' }).waitFor()
    await expectAccessible(page, 'diagnostics')
  })

  it('no page broke the policy or threw', () => {
    expect(room.complaints).toEqual([])
  })
})

describe('axe over states that are hard to bring about', () => {
  let harness: Harness

  beforeAll(async () => {
    harness = await buildHarness()
  })
  afterAll(() => harness.close())

  it.each([
    ['offline', '/', 'Paused: offline'],
    ['offline', '/peers', 'Nobody is connected yet'],
    ['alone', '/', 'Nobody else yet'],
    ['failing', '/peers', 'The list may be old'],
    ['alone', '/learn', 'Nobody trains anything here yet'],
    ['failing', '/learn', 'The list may be old'],
    ['room', '/nowhere', 'There is no page here'],
    ['room', '/jobs/unknown', 'This device has no such job'],
  ])('%s at %s', async (scenario, path, text) => {
    const page = await harness.page(path, scenario)
    await page.getByText(text).first().waitFor()
    await expectAccessible(page, `${scenario} ${path}`)
    await page.context().close()
  })
})
