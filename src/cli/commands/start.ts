import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { toString as qrText } from 'qrcode'
import { WELCOME } from '../../../examples/catalog.ts'
import { jobOf } from '../../../examples/example.ts'
import { inviteLink } from '../../node/capability.ts'
import type { JobSummary } from '../../node/contract.ts'
import { startNodePeer } from '../../node/node-peer.node.ts'
import type { Relay } from '../../relay/relay.ts'
import { Starling } from '../../sdk/starling.ts'
import { JobFailedError } from '../errors.ts'
import { progressText, resultText } from '../job-progress.ts'
import { WELCOME_TIMEOUT_MS } from '../limits.ts'
import { openTabs } from '../tabs.ts'
import type { Context } from './context.ts'
import { openRelay, type RelayOptions, shareLines } from './relay.ts'

export interface StartOptions extends RelayOptions {
  /** Headless local tabs; 0 for none. */
  readonly peers: number
  /** Ends after the welcome job. */
  readonly once: boolean
  /** Opens the page in this machine's browser. */
  readonly open: boolean
}

/** What `--once --json` prints. */
interface WelcomeResult {
  readonly peers: number
  readonly units: number
  readonly accepted: number
  readonly verified: number
  readonly wallMs: number
}

/**
 * `starling start`: relay, local tabs, the welcome job on them, then the address to share.
 *
 * @throws {@link JobFailedError} With `--once`, when not every unit was verified.
 */
export async function startCommand(options: StartOptions, context: Context): Promise<void> {
  const { terminal, lifetime } = context
  const relay = await openRelay(options, context)
  const result = await welcome(relay, options, context).catch((error: unknown) => {
    // Without `--once` the room itself is what was asked for; it opens all the same.
    if (options.once || lifetime.signal !== null) throw error
    terminal.complain(`The welcome job did not run: ${error instanceof Error ? error.message : String(error)}`)
    return null
  })
  if (options.once) {
    if (result === null) throw new JobFailedError('There are no local peers to run the welcome job (--peers 0)')
    if (terminal.json) await terminal.writeJson(result)
    if (result.verified < result.units) {
      throw new JobFailedError(`${result.verified} of ${result.units} units were verified`, {
        verified: result.verified,
        units: result.units,
      })
    }
    return
  }
  if (terminal.json && result !== null) await terminal.writeJson(result)
  const { url, lines } = shareLines(relay)
  const { write } = { write: (text: string) => (terminal.json ? terminal.say(text.trimEnd()) : terminal.write(text)) }
  await write(`\n${lines.join('\n')}\n\n${await qrText(url, { type: 'utf8', margin: 2 })}\n`)
  if (options.open) openInBrowser(inviteLink(relay.urls[0] ?? url, relay.invite))
  terminal.say('Ctrl-C stops the relay and the local peers')
  await lifetime.untilInterrupted()
}

/** Runs the welcome job over the local tabs; `null` without any. */
async function welcome(relay: Relay, options: StartOptions, context: Context): Promise<WelcomeResult | null> {
  if (options.peers === 0) return null
  if (relay.policy.kind === 'members') {
    context.terminal.say('A network of members: local tabs are none, so there is no first job')
    return null
  }
  const { terminal, lifetime } = context
  const here = inviteLink(relay.urls[0] ?? '', relay.invite)
  terminal.say(`Starting ${options.peers} local ${options.peers === 1 ? 'peer' : 'peers'} (headless tabs)`)
  // The requester meets the first tabs while the others still start.
  // Not through the SDK's `join`, which ends this process's WebRTC when it leaves: the relay here uses it too.
  const joined = startNodePeer({ relay: here, dataDir: ':memory:' }).then(
    (peer) => new Starling(peer, () => peer.stop()),
  )
  try {
    await Promise.all([openTabs(here, options.peers, context), lifetime.unlessInterrupted(joined)])
    const starling = await joined
    const started = performance.now()
    const folder = new URL('../../../examples/', import.meta.url)
    const spec = await jobOf(
      WELCOME.example,
      WELCOME.values,
      async (path) => new Uint8Array(await readFile(new URL(path, folder))),
    )
    const run = starling.run({
      ...spec,
      files: spec.sharedFiles,
      // The requester is this process; every result comes from tabs, two of them for each unit.
      options: { ...spec.options, replicas: 2, quorum: 2, useOwnWorkers: false },
    })
    run.onProgress((summary) => terminal.progress(`${summary.name} ${progressText(summary)}`))
    const summary = await lifetime.unlessInterrupted(within(run.done, WELCOME_TIMEOUT_MS, () => run.summary))
    terminal.endProgress()
    const wallMs = Math.round(performance.now() - started)
    const line = resultText(summary, wallMs)
    if (terminal.json) terminal.say(line)
    else await terminal.write(`${line}\n`)
    const { units, accepted, verified } = summary.counts
    return { peers: summary.executors, units, accepted, verified, wallMs }
  } finally {
    await joined.then(
      (starling) => starling.leave(),
      () => undefined,
    )
  }
}

async function within(done: Promise<JobSummary>, limitMs: number, last: () => JobSummary | null): Promise<JobSummary> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const summary = last()
      const where = summary === null ? '' : `: ${progressText(summary)}`
      reject(new JobFailedError(`The welcome job took longer than ${limitMs / 1000} s${where}`))
    }, limitMs)
  })
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}

function openInBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  const child = spawn(command ?? '', [...args, url], { stdio: 'ignore', detached: true })
  // Without a desktop there is nothing to open; the address is on the screen.
  child.once('error', () => undefined)
  child.unref()
}
