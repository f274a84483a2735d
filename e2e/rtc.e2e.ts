import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium, launchFirefox } from './support/browsers.ts'
import { type PageServer, servePages } from './support/server.ts'

interface Outcome {
  readonly name: string
  readonly error?: string
  readonly value?: unknown
}

/** One acceptance suite for both ways of getting a channel's bytes into the worker, in every engine that has WebRTC. */
describe('RTC bridge', () => {
  let server: PageServer

  beforeAll(async () => {
    server = await servePages(['rtc-suite', 'rtc-suite-worker'])
  })

  afterAll(() => server.close())

  for (const mode of ['transfer', 'forward'] as const) {
    it(`[chromium] serves a worker, channels by ${mode}`, async () => {
      const browser = await launchChromium()
      try {
        const page = await browser.newPage()
        await page.goto(`${server.origin}/rtc-suite.html?channels=${mode}`)
        await page.waitForFunction(() => 'report' in globalThis, undefined, { timeout: 120_000 })
        check(await page.evaluate(() => (globalThis as unknown as { report: Outcome[] }).report), mode)
      } finally {
        await browser.close()
      }
    })

    it(`[firefox] serves a worker, channels by ${mode}`, async () => {
      const browser = await launchFirefox()
      try {
        const page = await browser.newPage()
        await page.goto(`${server.origin}/rtc-suite.html?channels=${mode}`)
        await page.waitForFunction(() => 'report' in globalThis, { timeout: 120_000 })
        check(await page.evaluate(() => (globalThis as unknown as { report: Outcome[] }).report), mode)
      } finally {
        await browser.close()
      }
    })
  }
})

function check(outcomes: readonly Outcome[], mode: 'transfer' | 'forward'): void {
  for (const { name, value } of outcomes) if (value !== undefined) console.log(`${name}: ${JSON.stringify(value)}`)
  expect(outcomes.filter((outcome) => outcome.error !== undefined)).toEqual([])
  expect(outcomes.length).toBeGreaterThan(10)
  expect(outcomes.at(-1)?.value).toBe(mode === 'transfer' ? 'transferred' : 'forwarded')
}
