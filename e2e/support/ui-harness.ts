import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { build } from 'vite'
import { ensureChromium, launchChromium } from '../../src/cli/chromium.ts'
import { type PageServer, servePage } from './page-server.ts'

const CONFIG = fileURLToPath(new URL('../../src/testing/ui/vite.harness.config.ts', import.meta.url))

/** The interface over a fake node, served with the product's headers. */
export interface Harness {
  page(path: string, scenario: string, options?: BrowserContextOptions): Promise<Page>
  close(): Promise<void>
}

export async function buildHarness(): Promise<Harness> {
  const outDir = mkdtempSync(join(tmpdir(), 'starling-harness-'))
  await build({ configFile: CONFIG, logLevel: 'error', build: { outDir, emptyOutDir: true } })
  const server: PageServer = await servePage(outDir)
  const browser: Browser = await launchChromium(ensureChromium(() => undefined))
  return {
    page: async (path, scenario, options = {}) => {
      const context = await browser.newContext({ serviceWorkers: 'block', ...options })
      const page = await context.newPage()
      await page.goto(`${server.url}${path}?scenario=${scenario}`)
      return page
    },
    close: async () => {
      await browser.close()
      await server.stop()
    },
  }
}
