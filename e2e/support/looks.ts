import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { SIZES } from './ui-room.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe says, as far as it is told on. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly { readonly target: unknown; readonly failureSummary?: string }[]
  }[]
}

declare global {
  /** There once its script was evaluated. */
  var axe: { run(): Promise<AxeResults> }
}

/** What axe objects to, one line each. The page's policy allows no foreign script, so it is evaluated from outside. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations: found } = await page.evaluate(() => globalThis.axe.run())
  return found.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help} at ${JSON.stringify(node.target)} ${node.failureSummary ?? ''}`),
  )
}

/** Wide and phone-sized, light and dark, without motion. */
async function inEveryLook(page: Page, check: (size: string, colorScheme: string) => Promise<void>): Promise<void> {
  for (const size of ['wide', 'phone'] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(SIZES[size])
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await check(size, colorScheme)
    }
  }
}

/** Axe finds nothing in any look. The page is left in the last. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await inEveryLook(page, async (size, colorScheme) => {
    expect(await violations(page), `${what}, ${size}, ${colorScheme}`).toEqual([])
  })
}

/** Axe finds nothing in any look, and nothing is wider than the screen. With `STARLING_SHOTS` a picture of each is left there. */
export async function expectClean(page: Page, what: string): Promise<void> {
  await inEveryLook(page, async (size, colorScheme) => {
    expect(await violations(page), `${what}, ${size}, ${colorScheme}`).toEqual([])
    const wider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    expect(wider, `${what}, ${size}: wider than the screen`).toBe(false)
    const shots = process.env.STARLING_SHOTS
    if (shots !== undefined)
      await page.screenshot({ path: `${shots}/${what}-${size}-${colorScheme}.png`, fullPage: true })
  })
  await page.setViewportSize(SIZES.wide)
}
