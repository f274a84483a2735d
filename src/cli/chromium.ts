import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { aptInstall, canUseApt, isExecutable, onPath, runQuietly, type Say } from './browsers.ts'
import { BrowserMissingError } from './errors.ts'

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']

/** No GPU, no QUIC, nothing fetched or synchronised behind our back; tabs of one machine may meet on loopback addresses. */
export const CHROMIUM_ARGS: readonly string[] = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-loopback-in-peer-connection',
  // A headless tab is never in front; without these its timers and its renderer are slowed.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
]

/**
 * The Chromium of this machine: `CHROMIUM_PATH`, then one on the PATH, then the one Playwright downloaded.
 *
 * @throws {@link BrowserMissingError} If `CHROMIUM_PATH` is set and is no executable file.
 */
export function findChromium(): string | null {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen
    throw new BrowserMissingError(`CHROMIUM_PATH is ${chosen}, which is no executable file`, { value: chosen })
  }
  const downloaded = chromium.executablePath()
  return onPath(PROGRAMS) ?? (isExecutable(downloaded) ? downloaded : null)
}

/**
 * As {@link findChromium}, and installs one when there is none: from Debian when root, else Playwright's own.
 *
 * @throws {@link BrowserMissingError} When that fails too; the message says what to do.
 */
export function ensureChromium(say: Say): string {
  const found = findChromium()
  if (found !== null) return found
  if (canUseApt()) aptInstall(['chromium'], say)
  const installed = findChromium()
  if (installed !== null) return installed
  const cli = join(dirname(createRequire(import.meta.url).resolve('playwright-core/package.json')), 'cli.js')
  const withLibraries = process.getuid?.() === 0 ? ['--with-deps'] : []
  say('Installing a Chromium: npx playwright install chromium')
  runQuietly([process.execPath, cli, 'install', ...withLibraries, 'chromium'])
  const downloaded = findChromium()
  if (downloaded !== null) return downloaded
  throw new BrowserMissingError(
    'There is no Chromium on this machine and none could be installed. Install one (Debian: apt-get install chromium) or ' +
      'set CHROMIUM_PATH to an executable',
  )
}

/**
 * Starts a headless Chromium for local tabs, inside Chromium's own sandbox where the machine allows it: root and most containers
 * do not have the user namespaces it needs.
 */
export async function launchChromium(executablePath: string): Promise<Browser> {
  const options = {
    executablePath,
    headless: true,
    args: [...CHROMIUM_ARGS],
    // We stop it ourselves, after the tabs had time to hand back their leases.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
  }
  if (process.getuid?.() !== 0) {
    try {
      return await chromium.launch({ ...options, chromiumSandbox: true })
    } catch {
      // Falls through to the launch without; if that fails too, its error is the one worth reading.
    }
  }
  return await chromium.launch({ ...options, chromiumSandbox: false })
}
