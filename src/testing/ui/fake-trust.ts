import type {
  BlacklistEntry,
  SecurityEvent,
  SecurityFilter,
  TrustApi,
  TrustEntry,
  TrustHistory,
} from '../../node/trust-contract.ts'
import { FakeIdentity } from './fake-identity.ts'
import { PEERS } from './fake-peers.ts'

const HOUR_MS = 3_600_000

/** Made-up opinions and events, for tests and the harness of the interface. */
export class FakeTrust extends FakeIdentity implements TrustApi {
  readonly #now = Date.now()
  readonly #entries = PEERS.map((rootId, index) => entry(rootId, index, this.#now))
  readonly #events = EVENTS.map((each, index) => ({
    ...each,
    id: EVENTS.length - index,
    at: this.#now - index * 11 * 60_000,
    peerId: PEERS[index % PEERS.length] ?? null,
    rootId: PEERS[index % PEERS.length] ?? null,
  }))

  async trustEntries(): Promise<readonly TrustEntry[]> {
    return this.#entries
  }

  async trustHistory(rootId: string): Promise<TrustHistory | null> {
    const found = this.#entries.find((each) => each.rootId === rootId)
    if (found === undefined) return null
    const points = Array.from({ length: 40 }, (_, index) => ({
      at: this.#now - (40 - index) * HOUR_MS,
      score: 0.5 + 0.35 * Math.min(1, index / 25) - (index > 32 ? 0.3 : 0),
      standing: Math.max(0, index * 9 - (index > 32 ? 250 : 0)),
      cause: index === 33 ? 'wrong-recomputed' : 'accepted',
    }))
    const attestations = PEERS.slice(1, 4).map((by, index) => ({
      by,
      score: 0.82 - index * 0.1,
      tasks: 40 + index * 13,
      weight: 0.1 - index * 0.03,
      at: this.#now - index * HOUR_MS,
    }))
    return { entry: found, points, attestations, evidence: this.#events.filter(({ evidence }) => evidence.length > 0) }
  }

  async blacklist(): Promise<readonly BlacklistEntry[]> {
    return this.#entries.flatMap(({ blacklisted }) => blacklisted ?? [])
  }

  async blacklistPeer(rootId: string, options: { durationMs: number | null; reason: string }): Promise<void> {
    const since = this.#now
    const until = options.durationMs === null ? null : since + options.durationMs
    this.#set(rootId, { rootId, since, until, by: 'owner', reason: options.reason })
  }

  async unblacklistPeer(rootId: string): Promise<void> {
    this.#set(rootId, null)
  }

  async securityEvents(filter: SecurityFilter): Promise<readonly SecurityEvent[]> {
    const { types, severities, peer } = filter
    return this.#events.filter(
      (event) =>
        (types === undefined || types.length === 0 || types.includes(event.type)) &&
        (severities === undefined || severities.length === 0 || severities.includes(event.severity)) &&
        (peer === undefined || event.rootId === peer || event.peerId === peer),
    )
  }

  async exportSecurityEvents(filter: SecurityFilter): Promise<Uint8Array> {
    const events = await this.securityEvents(filter)
    return new TextEncoder().encode(events.map((event) => `${JSON.stringify({ ...event, evidence: [] })}\n`).join(''))
  }

  #set(rootId: string, blacklisted: BlacklistEntry | null): void {
    const index = this.#entries.findIndex((each) => each.rootId === rootId)
    const found = this.#entries[index]
    if (found !== undefined) this.#entries[index] = { ...found, blacklisted }
  }
}

function entry(rootId: string, index: number, now: number): TrustEntry {
  const tiers = ['elite', 'trusted', 'established', 'newcomer'] as const
  const tier = tiers[Math.min(index, 3)] ?? 'newcomer'
  const standing = [812, 640, 301, 90, 12, 0, 0][index] ?? 0
  const score = index > 5 ? null : 0.92 - index * 0.13
  const until = now + 20 * HOUR_MS
  const reason = 'A result of it was recomputed here and found wrong'
  return {
    rootId,
    devices: [rootId],
    tier,
    standing,
    score,
    blended: score === null ? null : score - 0.01,
    tasks: { good: 900 - index * 140, bad: index },
    byCategory: [{ category: 'Mandelbrot', score, tasks: 300 }],
    quota: { usedTasks: index * 2.4, tasksPerHour: [1_000, 200, 50, 10][Math.min(index, 3)] ?? 10, connectionsMax: 5 },
    firstSeenAt: now - 40 * HOUR_MS,
    lastTaskAt: index > 5 ? null : now - index * 60_000,
    blacklisted: index === 5 ? { rootId, since: now - 4 * HOUR_MS, until, by: 'evidence', reason } : null,
  }
}

type EventBody = Pick<SecurityEvent, 'type' | 'severity' | 'message' | 'evidence'>

const EVENTS: readonly EventBody[] = [
  {
    type: 'peer-blacklisted',
    severity: 'serious',
    message: 'A result of it was recomputed here and found wrong; blacklisted until tomorrow',
    evidence: [],
  },
  {
    type: 'result-conflict',
    severity: 'serious',
    message: 'Unit of job 1f3a90c2 was recomputed here and found wrong; it gets no more units of that job',
    evidence: [new Uint8Array(412), new Uint8Array(409)],
  },
  { type: 'statement-replayed', severity: 'warning', message: 'An offer was sent twice; it was refused', evidence: [] },
  { type: 'tier-changed', severity: 'info', message: 'From newcomer to established', evidence: [] },
  { type: 'peer-admitted', severity: 'info', message: 'Let in', evidence: [] },
]
