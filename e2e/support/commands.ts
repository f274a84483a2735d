import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const STARLING = fileURLToPath(new URL('../../bin/starling.mjs', import.meta.url))

/** How long an end that was asked for may take before the process is killed and the test fails. */
const END_TIMEOUT_MS = 20_000

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command as a person starts it, and every process that it starts in turn. */
export class Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  readonly #mark: string
  #stdout = ''
  #stderr = ''

  /** @param command - Run by bash, so that pipes are pipes. `$STARLING` is the command under test. */
  constructor(command: string, env: NodeJS.ProcessEnv = {}) {
    // Every process below inherits it; that is how what was left behind is found.
    this.#mark = `STARLING_E2E_MARK=${crypto.randomUUID()}`
    const [name = '', value = ''] = this.#mark.split('=')
    const home = `/tmp/starling-e2e-${value}`
    this.child = spawn('bash', ['-c', command], {
      cwd: ROOT,
      env: { ...process.env, STARLING: `${process.execPath} ${STARLING}`, STARLING_HOME: home, [name]: value, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr += chunk
    })
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => {
        rmSync(home, { recursive: true, force: true })
        // As a shell says it.
        const ended = code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0)
        resolve({ code: ended, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** The first line of stdout that is JSON. @throws When the command ends without one. */
  async firstJson<T>(): Promise<T> {
    for (;;) {
      const line = this.#stdout
        .split('\n')
        .slice(0, -1)
        .find((each) => each.startsWith('{'))
      if (line !== undefined) return JSON.parse(line) as T
      const ended = await Promise.race([
        this.ended,
        new Promise<null>((resolve) => setTimeout(() => resolve(null), 50)),
      ])
      if (ended !== null) throw new Error(`Ended with ${ended.code} before it said anything: ${ended.stderr}`)
    }
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** As Ctrl-C does: to every process of the terminal's group. */
  interrupt(signal: NodeJS.Signals = 'SIGINT'): void {
    const { pid, exitCode, signalCode } = this.child
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal)
  }

  /** Interrupts, and waits for the end. */
  async stop(): Promise<Ended> {
    this.interrupt()
    const timer = setTimeout(() => this.interrupt('SIGKILL'), END_TIMEOUT_MS)
    const ended = await this.ended
    clearTimeout(timer)
    return ended
  }

  /** Programs that this command started and that still run, as `pid name`. */
  left(): string[] {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
      .flatMap((pid) => {
        try {
          if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(this.#mark)) return []
          return [`${pid} ${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}`]
        } catch {
          // Ended while we looked, or not ours.
          return []
        }
      })
  }
}
