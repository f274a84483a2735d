import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import puppeteer, { type Browser as PuppeteerBrowser } from 'puppeteer-core'

/** What makes headless tabs mesh on loopback alone; Debian's Chromium runs as root in containers. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--allow-loopback-in-peer-connection',
]

export function chromiumPath(): string {
  const found = [process.env.CHROMIUM_PATH, '/usr/bin/chromium', '/usr/bin/google-chrome', chromium.executablePath()]
  const path = found.find((candidate) => candidate !== undefined && existsSync(candidate))
  if (path === undefined) throw new Error('No Chromium: set CHROMIUM_PATH, or install the chromium package')
  return path
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS, headless: true })
}

export function firefoxPath(): string | undefined {
  return [process.env.FIREFOX_PATH, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
    (candidate) => candidate !== undefined && existsSync(candidate),
  )
}

/** Firefox over WebDriver BiDi, with loopback candidates allowed and shown. */
export async function launchFirefox(): Promise<PuppeteerBrowser> {
  const executablePath = firefoxPath()
  if (executablePath === undefined) throw new Error('No Firefox: set FIREFOX_PATH, or install firefox-esr')
  return puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    extraPrefsFirefox: {
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  })
}
