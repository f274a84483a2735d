import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { inviteLink } from '../../src/node/capability.ts'

const MAIN = fileURLToPath(new URL('../../src/relay/main.ts', import.meta.url))
const START_TIMEOUT_MS = 60_000

interface Said {
  readonly urls: readonly string[]
  readonly networkId: string
  readonly invite: string | null
}

/** A relay in a process of its own, so that it can be gone in the way that machines are: without a word. */
export class RelayProcess {
  readonly url: string
  readonly networkId: string
  /** What lets others in, for a link; `null` when the network is no room. */
  readonly invite: string | null
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, said: Said) {
    this.#child = child
    this.url = (said.urls[0] ?? '').replace(/\/$/, '')
    this.networkId = said.networkId
    this.invite = said.invite
  }

  /** @param env - As `src/relay/main.ts` takes it; any free port of the loopback by default. */
  static async start(env: Readonly<Record<string, string>>): Promise<RelayProcess> {
    const child = spawn(process.execPath, [MAIN], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return new RelayProcess(child, JSON.parse(await firstLine(child)) as Said)
  }

  /** The link to a view of the page, with what lets in. */
  link(path = '/'): string {
    return inviteLink(this.url + path, this.invite)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('The relay did not start')), START_TIMEOUT_MS)
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end < 0) return
      clearTimeout(timer)
      resolve(text.slice(0, end))
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`The relay ended with ${code}`))
    })
  })
}
