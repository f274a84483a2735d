import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * WebKit as Debian ships it (package webkit2gtk-driver): MiniBrowser, driven by WebKitWebDriver over plain WebDriver HTTP, on an
 * Xvfb display of its own. It has WebAssembly, module workers and WebCrypto; no WebRTC and no SharedArrayBuffer.
 */
export interface WebkitBrowser {
  readonly version: string
  goto(url: string): Promise<void>
  /** Runs the body of a function in the page and returns what it returns, as JSON. */
  evaluate(body: string, args?: readonly unknown[]): Promise<unknown>
  close(): Promise<void>
}

const START_MS = 30_000
const POLL_MS = 100
const REQUEST_MS = 60_000

/** Where the driver, the browser and the display are, or `null` when one is missing. */
export function webkitPrograms(): {
  readonly driver: string
  readonly browser: string
  readonly display: string
} | null {
  const driver = onPath('WebKitWebDriver')
  const display = onPath('Xvfb')
  const browser = miniBrowser()
  return driver === null || display === null || browser === null ? null : { driver, browser, display }
}

/** Starts display, driver and browser; {@link WebkitBrowser.close} ends all three. */
export async function launchWebkit(): Promise<WebkitBrowser> {
  const programs = webkitPrograms()
  if (programs === null) throw new Error('No WebKit: install webkit2gtk-driver and xvfb')
  const children: ChildProcess[] = []
  // A test that is cut off never gets to close what it opened.
  const killAll = (): void => {
    for (const child of children) signal(child)
  }
  process.once('exit', killAll)
  const stop = async (): Promise<void> => {
    process.off('exit', killAll)
    for (const child of children.reverse()) await stopChild(child)
  }
  try {
    const display = await startDisplay(programs.display, children)
    const driver = await startDriver(programs.driver, { display, children })
    const session = await openSession(driver, programs.browser)
    return {
      version: session.version,
      goto: async (url) => void (await session.call('POST', 'url', { url })),
      evaluate: (body, args = []) => session.call('POST', 'execute/sync', { script: body, args }),
      close: async () => {
        await session.call('DELETE', '', null).catch(() => {})
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Xvfb picks a free display and writes its number to the descriptor it is given. */
async function startDisplay(path: string, children: ChildProcess[]): Promise<string> {
  const child = spawn(path, ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  })
  children.push(child)
  const number = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text.trim())
    })
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Xvfb exited with ${code}`)))
  })
  return `:${number}`
}

async function startDriver(
  path: string,
  { display, children }: { readonly display: string; readonly children: ChildProcess[] },
): Promise<string> {
  const port = await freePort()
  // Group leader, so that stopping it takes the browser and its helper processes along.
  const child = spawn(path, [`--port=${port}`, '--host=127.0.0.1'], {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, DISPLAY: display, GDK_BACKEND: 'x11', WEBKIT_DISABLE_COMPOSITING_MODE: '1' },
  })
  children.push(child)
  const origin = `http://127.0.0.1:${port}`
  for (const deadline = Date.now() + START_MS; ; await delay(POLL_MS)) {
    const answer = await fetch(`${origin}/status`).catch(() => null)
    if (answer?.ok) return origin
    if (Date.now() > deadline) throw new Error(`WebKitWebDriver did not answer on ${origin} within ${START_MS} ms`)
  }
}

interface Session {
  readonly version: string
  call(method: string, path: string, body: unknown): Promise<unknown>
}

async function openSession(origin: string, browser: string): Promise<Session> {
  const options = { binary: browser, args: ['--automation'] }
  const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } }
  // The shape of a new session's answer is WebDriver's (W3C recommendation, section 8.1).
  const opened = (await request(`${origin}/session`, 'POST', { capabilities })) as {
    sessionId: string
    capabilities: { browserVersion?: string }
  }
  const base = `${origin}/session/${opened.sessionId}`
  return {
    version: opened.capabilities.browserVersion ?? 'unknown',
    call: (method, path, body) => request(path === '' ? base : `${base}/${path}`, method, body),
  }
}

async function request(url: string, method: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    method,
    ...(body === null ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    signal: AbortSignal.timeout(REQUEST_MS),
  })
  const { value } = (await answer.json()) as { value: unknown }
  if (!answer.ok) throw new Error(`${method} ${url}: ${JSON.stringify(value)}`)
  return value
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  signal(child)
  await Promise.race([gone, delay(3_000).then(() => child.kill('SIGKILL'))])
}

/** Asks a child to end, and the group it leads if it leads one. */
function signal(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid)
  } catch {
    child.kill()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function onPath(program: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? null
}

/** It lies beside the library, in a folder named after machine and version. */
function miniBrowser(): string | null {
  const found: string[] = []
  for (const root of ['/usr/lib', '/usr/libexec']) {
    for (const machine of existsSync(root) ? readdirSync(root) : []) {
      for (const api of ['webkit2gtk-4.1', 'webkit2gtk-4.0', 'webkitgtk-6.0']) {
        found.push(join(root, machine, api, 'MiniBrowser'))
      }
    }
  }
  return found.find((path) => existsSync(path)) ?? null
}
