import { isSecurityEventType } from '../../core/trust/security-event.ts'
import type { SecurityFilter, TrustEntry } from '../../node/trust-contract.ts'
import { openTrustFolder, type TrustFolder } from '../../node/trust-folder.node.ts'
import { UsageError } from '../errors.ts'
import { ownPassphrase } from '../passphrase-input.ts'
import type { Context } from './context.ts'

export interface TrustOptions {
  readonly dataDir: string
  readonly keyRing: boolean
}

const HOUR_MS = 3_600_000

/** `starling trust list` */
export function listCommand(options: TrustOptions, { terminal }: Context): Promise<void> {
  return withTrust(options, { terminal, changes: false }, async (trust) => {
    const entries = [...trust.entries()].sort(
      (a, b) => (b.blended ?? 0.5) - (a.blended ?? 0.5) || b.standing - a.standing,
    )
    if (terminal.json) {
      for (const entry of entries) await terminal.writeJson(entry)
      return
    }
    if (entries.length === 0) return terminal.say('Nobody has worked for this peer yet')
    await terminal.write(`${row('root', 'tier', 'standing', 'score', 'good', 'bad', 'state')}\n`)
    for (const entry of entries) {
      const { rootId, tier, standing, blended, tasks } = entry
      const cells = [rootId, tier, `${standing}`, scoreText(blended), `${tasks.good}`, `${tasks.bad}`] as const
      await terminal.write(`${row(...cells, stateText(entry))}\n`)
    }
  })
}

/** `starling trust show ROOT` */
export function showCommand(rootId: string, options: TrustOptions, { terminal }: Context): Promise<void> {
  return withTrust(options, { terminal, changes: false }, async (trust) => {
    const history = trust.history(rootId)
    if (history === null) throw new UsageError(`Nothing is known of ${rootId} here`, { field: 'root', value: rootId })
    if (terminal.json) {
      const { evidence, ...rest } = history
      return await terminal.writeJson({ ...rest, evidence: evidence.map(({ id, type }) => ({ id, type })) })
    }
    const { entry, points, attestations, evidence } = history
    const lines = [
      `root       ${entry.rootId}`,
      `state      ${stateText(entry)}`,
      `tier       ${entry.tier}, standing ${entry.standing}`,
      `score      ${scoreText(entry.score)} here, ${scoreText(entry.blended)} with others' word`,
      `tasks      ${entry.tasks.good} good, ${entry.tasks.bad} bad`,
      `devices    ${entry.devices.join(', ') || 'none known'}`,
      `attested   by ${attestations.length}, evidence in ${evidence.length} security events`,
      ...points.slice(-10).map(({ at, score, standing, cause }) => {
        return `${new Date(at).toISOString()}  score ${score.toFixed(2)}  standing ${standing}  ${cause}`
      }),
    ]
    await terminal.write(`${lines.join('\n')}\n`)
  })
}

/** `starling trust block ROOT` */
export function blockCommand(
  rootId: string,
  options: TrustOptions & { readonly hours: number | null; readonly reason: string },
  { terminal }: Context,
): Promise<void> {
  return withTrust(options, { terminal, changes: true }, async (trust) => {
    const durationMs = options.hours === null ? null : options.hours * HOUR_MS
    trust.block(rootId, { durationMs, reason: options.reason })
    terminal.say(`${rootId} is blacklisted ${options.hours === null ? 'until it is lifted' : `for ${options.hours} h`}`)
  })
}

/** `starling trust unblock ROOT` */
export function unblockCommand(rootId: string, options: TrustOptions, { terminal }: Context): Promise<void> {
  return withTrust(options, { terminal, changes: true }, async (trust) => {
    if (!trust.unblock(rootId)) throw new UsageError(`${rootId} is not blacklisted`, { field: 'root', value: rootId })
    terminal.say(`${rootId} may come back; it begins on trial`)
  })
}

export interface EventsOptions extends TrustOptions {
  readonly type?: string
  readonly severity?: 'info' | 'warning' | 'serious'
  readonly peer?: string
  readonly limit: number
}

/** `starling trust events` */
export function eventsCommand(options: EventsOptions, { terminal }: Context): Promise<void> {
  const { type, severity, peer, limit } = options
  if (type !== undefined && !isSecurityEventType(type)) {
    throw new UsageError(`--type is "${type}", which is no kind of event`, { field: '--type', value: type })
  }
  const filter: SecurityFilter = {
    limit,
    ...(type !== undefined && { types: [type] }),
    ...(severity !== undefined && { severities: [severity] }),
    ...(peer !== undefined && { peer }),
  }
  return withTrust(options, { terminal, changes: false }, async (trust) => {
    if (terminal.json) return await terminal.write(trust.exportEvents(filter))
    const events = trust.events(filter)
    if (events.length === 0) return terminal.say('No event fits')
    for (const { at, severity: how, type: what, rootId, peerId, message, evidence } of events) {
      const proof = evidence.length === 0 ? '' : ` [${evidence.length} pieces of evidence]`
      const who = rootId ?? peerId ?? '-'
      await terminal.write(`${new Date(at).toISOString()}  ${how.padEnd(7)}  ${what}  ${who}  ${message}${proof}\n`)
    }
  })
}

async function withTrust(
  options: TrustOptions,
  how: { readonly terminal: Context['terminal']; readonly changes: boolean },
  work: (trust: TrustFolder) => Promise<void>,
): Promise<void> {
  const { dataDir } = options
  // Holding the keys keeps a peer from running on the folder at the same time and writing over what is changed.
  const keys = how.changes ? await lockFolder(options) : null
  try {
    const trust = await openTrustFolder(dataDir, (message) => how.terminal.complain(message))
    try {
      await work(trust)
    } finally {
      await trust.close()
    }
  } finally {
    await keys?.close()
  }
}

/** Holds the folder of a peer, so that none runs on it meanwhile. */
async function lockFolder({ dataDir, keyRing }: TrustOptions): Promise<{ close(): Promise<void> }> {
  const { openRootKeys } = await import('../../node/open-identity.node.ts')
  return await openRootKeys({ dataDir, keyRing: keyRing ? 'system' : 'none', ...ownPassphrase() })
}

const WIDTHS = [54, 12, 9, 6, 7, 5] as const

function row(...cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join(' ')
}

const scoreText = (score: number | null): string => (score === null ? '-' : score.toFixed(2))

function stateText({ blacklisted, blended }: TrustEntry): string {
  if (blacklisted === null) return blended === null ? 'on trial' : 'judged'
  const until = blacklisted.until === null ? 'until lifted' : `until ${new Date(blacklisted.until).toISOString()}`
  return `blacklisted ${until}: ${blacklisted.reason}`
}
