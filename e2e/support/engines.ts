import { firefoxPath, launchChromium, launchFirefox } from './browsers.ts'
import type { SandboxServer } from './sandbox-server.ts'
import { launchWebkit, webkitPrograms } from './webkit.ts'

/** A browser that opens one address at a time, however it is driven. */
interface OpenEngine {
  goto(url: string): Promise<unknown>
  close(): Promise<void>
}

/** One of the engines that peers have. */
export interface Engine {
  readonly name: 'chromium' | 'firefox' | 'webkit'
  /** Chromium is always held to be: without it a run must fail, not be skipped. */
  readonly installed: boolean
  readonly open: () => Promise<OpenEngine>
}

export const FIREFOX: Engine = {
  name: 'firefox',
  installed: firefoxPath() !== undefined,
  open: async () => pageOf(await launchFirefox()),
}

/** Every engine, for what must be the same on all of them. */
export const ENGINES: readonly Engine[] = [
  { name: 'chromium', installed: true, open: async () => pageOf(await launchChromium()) },
  FIREFOX,
  { name: 'webkit', installed: webkitPrograms() !== null, open: launchWebkit },
]

interface PostOptions {
  /** For the page to post its result; starting the engine and closing it come on top. */
  readonly timeoutMs: number
  /** Query of the page's address, `?` included. */
  readonly query?: string
}

/** What the server's page posts once this engine has run it. The engine is closed again, whatever happens. */
export async function postedBy(
  { open }: Engine,
  server: SandboxServer,
  { timeoutMs, query = '' }: PostOptions,
): Promise<unknown> {
  const engine = await open()
  try {
    const result = server.result(timeoutMs)
    await engine.goto(`${server.origin}/${query}`)
    return await result
  } finally {
    await engine.close()
  }
}

interface Browser {
  newPage(): Promise<{ goto(url: string): Promise<unknown> }>
  close(): Promise<void>
}

async function pageOf(browser: Browser): Promise<OpenEngine> {
  const page = await browser.newPage()
  return { goto: (url) => page.goto(url), close: () => browser.close() }
}
