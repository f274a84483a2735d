import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectClean } from './support/looks.ts'
import { buildHarness, type Harness } from './support/ui-harness.ts'
import { SIZES } from './support/ui-room.ts'

describe('the pages of trust', () => {
  let harness: Harness
  let page: Page

  beforeAll(async () => {
    harness = await buildHarness()
    page = await harness.page('/trust', 'room', { viewport: SIZES.wide })
  })
  afterAll(() => harness?.close())

  it('the list is clean in every look, and leads to a peer', async () => {
    await page.getByRole('heading', { name: 'Blacklist' }).waitFor()
    await expectClean(page, 'trust')
    await page.getByRole('table').getByRole('link').first().click()
    await page.getByRole('heading', { name: 'What moved it' }).waitFor()
    await page.locator('.plot canvas').waitFor()
    await expectClean(page, 'trust-peer')
  })

  it('a peer is blacklisted only after asking, and let back the same way', async () => {
    await page.getByRole('button', { name: 'Blacklist' }).click()
    await page.getByRole('alertdialog').waitFor()
    await expectClean(page, 'trust-confirm')
    await page.getByRole('button', { name: 'Keep it' }).click()
    expect(await page.getByText('it gets no work and cannot connect').count()).toBe(0)
    await page.getByRole('button', { name: 'Blacklist' }).click()
    await page.getByLabel('For how long').selectOption('Until I lift it')
    await page.getByLabel('Why, for your own memory').fill('It was slow')
    await page.getByRole('alertdialog').getByRole('button', { name: 'Blacklist' }).click()
    await page.getByText('it gets no work and cannot connect').waitFor()
    await page.getByText('It was slow').first().waitFor()
    await page.getByRole('button', { name: 'Take off the blacklist' }).click()
    await page.getByRole('button', { name: 'Let it back' }).click()
    await page.getByRole('button', { name: 'Blacklist' }).waitFor()
  })

  it('the security log filters by what the address says, and saves', async () => {
    await page.getByRole('link', { name: 'Security log', exact: true }).click()
    await page.getByText('Result conflict', { exact: true }).last().waitFor()
    await expectClean(page, 'security')
    await page.getByLabel('Severity').selectOption('Serious')
    await page.waitForURL(/severity=serious/)
    await expect.poll(() => page.locator('.security-event').count()).toBe(2)
    await page.getByText('2 pieces of evidence').click()
    const piece = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Piece 1' }).click()
    expect((await piece).suggestedFilename()).toMatch(/^starling-evidence-\d+-1\.cbor$/)
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save these' }).click()
    expect((await saved).suggestedFilename()).toBe('starling-security.jsonl')
    await page.getByLabel('Kind').selectOption('Key rotated')
    await page.getByText('No event fits').waitFor()
  })

  it('the identity is clean in every look', async () => {
    const identity = await harness.page('/identity', 'room', { viewport: SIZES.wide })
    await identity.getByRole('heading', { name: 'Devices' }).waitFor()
    await expectClean(identity, 'identity')
  })

  it('a guest sees why, works, and rests, clean in every look', async () => {
    const guest = await harness.page('/', 'refusing', { viewport: SIZES.wide })
    await guest.getByRole('heading', { name: 'Here as a guest' }).waitFor()
    await expectClean(guest, 'admission-guest')
    await guest.getByRole('button', { name: 'Work to be let in' }).click()
    await guest.getByRole('heading', { name: 'Working to be let in' }).waitFor()
    await expectClean(guest, 'admission-mining')
    await guest.getByRole('button', { name: 'Pause the work' }).click()
    await guest.getByRole('button', { name: 'Resume the work' }).waitFor()
    await expectClean(guest, 'admission-paused')
  })
})
