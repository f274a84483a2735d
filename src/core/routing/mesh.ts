import { backoffMs } from './backoff.ts'
import {
  ANNOUNCE_CONTENT_MS,
  ANNOUNCE_SEEKING_MS,
  ANNOUNCE_SPACING_MS,
  DIAL_BACKOFF_MAX_MS,
  DIAL_BACKOFF_MS,
  DIAL_SPACING_CONTENT_MS,
  DIAL_SPACING_MS,
  DIALS_PARALLEL_FIRST,
  DIALS_PARALLEL_MAX,
  DIRECT_FAILURES_BEFORE_RELAYED,
  EXCHANGE_SEEKING_MS,
  KNOWN_PEERS_MAX,
  KNOWN_TTL_MS,
  LINK_SETTLED_MS,
  TIE_BREAK_MS,
  URGENT_DEGREE,
} from './limits.ts'

/** `direct` needs no relay for its bytes; `relayed` goes through one, within its limits. */
export type LinkPath = 'direct' | 'relayed'

export type MeshEvent = {
  /** Milliseconds; only differences matter. */
  readonly now: number
  /** Uniform in `[0, 1)`, fresh for each event. */
  readonly random: number
} & (
  | { readonly type: 'tick' }
  /** Somebody's announcement was verified. */
  | { readonly type: 'heard'; readonly peer: string; readonly addresses: readonly string[]; readonly seeking: boolean }
  /** The best link to a peer is now of this path. */
  | { readonly type: 'linked'; readonly peer: string; readonly path: LinkPath }
  /** The last link to a peer is gone. */
  | { readonly type: 'unlinked'; readonly peer: string }
  | { readonly type: 'dialled'; readonly peer: string; readonly success: boolean }
  /** Whether a dial could succeed at all: a relay is reachable and the budget allows one. */
  | { readonly type: 'able'; readonly able: boolean }
  /** Our own addresses changed. */
  | { readonly type: 'readdressed' }
  /** After sleep or a loss of network: what failed before may work now. */
  | { readonly type: 'woke' }
)

export type MeshEffect =
  | { readonly type: 'dial'; readonly peer: string; readonly addresses: readonly string[]; readonly path: LinkPath }
  | { readonly type: 'announce'; readonly seeking: boolean }
  /** Ask relays and linked peers whom they know. */
  | { readonly type: 'exchange' }
  /** Close the links to a peer that is one too many. */
  | { readonly type: 'drop'; readonly peer: string }

export interface MeshInit {
  readonly self: string
  readonly targetDegree: number
  readonly degreeMax: number
}

interface KnownPeer {
  addresses: readonly string[]
  seeking: boolean
  heardAt: number
  /** First heard of, for the tie-break. */
  firstHeardAt: number
  failures: number
  nextDialAt: number
}

interface Link {
  readonly path: LinkPath
  readonly since: number
}

/**
 * Decides whom to dial and when, so that each peer holds a few direct links. Sans-IO.
 *
 * - [M1] Dials only while direct links and dials under way are fewer than the target: the first three quickly, the rest
 *   one by one. Never more than three at once, and one at a time after a failure until dials succeed again.
 * - [M2] When both peers look for links, the one with the smaller id dials at once and the other only after a while:
 *   duplicates are not made.
 * - [M3] The second try is made at once; then pauses double, with jitter, up to a minute.
 * - [M4] After three failures a link over the relay is made and kept, and the direct one tried from time to time.
 * - [M5] Links above the maximum are dropped, the youngest first; a link that ends at once counts as a failure.
 * - [M6] Announces itself at once when its addresses change, then paced; asks others whom they know while it seeks.
 * - [M7] Waking up clears all pauses.
 */
export class Mesh {
  readonly #init: MeshInit
  readonly #known = new Map<string, KnownPeer>()
  readonly #links = new Map<string, Link>()
  readonly #dials = new Map<string, LinkPath>()
  #parallelMax = DIALS_PARALLEL_FIRST
  #able = false
  #lastDialAt = Number.NEGATIVE_INFINITY
  #lastAnnounceAt = Number.NEGATIVE_INFINITY
  #announceDueAt = 0
  #exchangeDueAt = 0

  constructor(init: MeshInit) {
    this.#init = init
  }

  get direct(): number {
    return this.#count('direct')
  }

  get relayed(): number {
    return this.#count('relayed')
  }

  /** Peers that could be dialled. */
  get known(): number {
    return this.#known.size
  }

  knows(peer: string): boolean {
    return this.#known.has(peer)
  }

  get dialling(): number {
    return this.#dials.size
  }

  get seeking(): boolean {
    return this.direct < this.#init.targetDegree
  }

  /** Whether dials have been failing, for the status line. */
  get failing(): boolean {
    return this.direct === 0 && [...this.#known.values()].some((peer) => peer.failures > 1)
  }

  /** Takes one event and says what to do. A `tick` a few times a second keeps it going. */
  step(event: MeshEvent): MeshEffect[] {
    switch (event.type) {
      case 'heard':
        this.#hear(event)
        break
      case 'linked':
        this.#link(event)
        break
      case 'unlinked':
        this.#unlink(event.peer, event)
        break
      case 'dialled':
        this.#dialled(event)
        break
      case 'able':
        if (event.able && !this.#able) this.#exchangeDueAt = event.now
        this.#able = event.able
        break
      case 'readdressed':
        this.#announceDueAt = event.now
        break
      case 'woke':
        for (const peer of this.#known.values()) Object.assign(peer, { failures: 0, nextDialAt: event.now })
        this.#announceDueAt = event.now
        this.#exchangeDueAt = event.now
        break
      case 'tick':
        break
    }
    return [...this.#surplus(), ...this.#dialsDue(event), ...this.#talkDue(event)]
  }

  #hear({ peer, addresses, seeking, now }: Extract<MeshEvent, { type: 'heard' }>): void {
    if (peer === this.#init.self) return
    const known = this.#known.get(peer)
    if (known !== undefined) {
      Object.assign(known, { addresses, seeking, heardAt: now })
      return
    }
    if (this.#known.size >= KNOWN_PEERS_MAX) this.#forgetStalest()
    const fresh = { addresses, seeking, heardAt: now, firstHeardAt: now, failures: 0, nextDialAt: now }
    this.#known.set(peer, fresh)
  }

  #link({ peer, path, now }: Extract<MeshEvent, { type: 'linked' }>): void {
    if (this.#links.get(peer)?.path === path) return
    this.#links.set(peer, { path, since: now })
    const known = this.#known.get(peer)
    if (known !== undefined && path === 'direct') known.failures = 0
  }

  #unlink(peer: string, { now, random }: MeshEvent): void {
    const link = this.#links.get(peer)
    this.#links.delete(peer)
    const known = this.#known.get(peer)
    if (link === undefined || known === undefined) return
    if (now - link.since < LINK_SETTLED_MS) this.#failed(peer, { now, random })
    // A peer that was there a moment ago is most likely gone: its next announcement says whether it is not.
    else known.nextDialAt = now + backoffMs(0, { baseMs: DIAL_BACKOFF_MS, maxMs: DIAL_BACKOFF_MAX_MS, random })
  }

  #dialled(event: Extract<MeshEvent, { type: 'dialled' }>): void {
    const { peer, success } = event
    const path = this.#dials.get(peer)
    this.#dials.delete(peer)
    // When everybody is short of CPU, more dials at once only make all of them too late.
    this.#parallelMax = success ? Math.min(DIALS_PARALLEL_MAX, this.#parallelMax + 1) : 1
    // A relayed link is there because direct dials failed: the next of those has its pause too.
    if (!success || path === 'relayed') this.#failed(peer, event)
  }

  #failed(peer: string, { now, random }: { now: number; random: number }): void {
    const known = this.#known.get(peer)
    if (known === undefined) return
    known.failures++
    // The first failure is followed by a second try at once: most dials that fail do so by bad luck.
    const pause =
      known.failures === 1
        ? 0
        : backoffMs(known.failures - 2, { baseMs: DIAL_BACKOFF_MS, maxMs: DIAL_BACKOFF_MAX_MS, random })
    known.nextDialAt = now + pause
  }

  #forgetStalest(): void {
    let stalest: string | undefined
    let heardAt = Number.POSITIVE_INFINITY
    for (const [peer, known] of this.#known) {
      if (known.heardAt >= heardAt || this.#links.has(peer) || this.#dials.has(peer)) continue
      stalest = peer
      heardAt = known.heardAt
    }
    if (stalest !== undefined) this.#known.delete(stalest)
  }

  #surplus(): MeshEffect[] {
    const direct = [...this.#links].filter(([, link]) => link.path === 'direct')
    if (direct.length <= this.#init.degreeMax) return []
    direct.sort(([, a], [, b]) => b.since - a.since)
    return direct.slice(0, direct.length - this.#init.degreeMax).map(([peer]) => ({ type: 'drop', peer }))
  }

  #dialsDue({ now, random }: MeshEvent): MeshEffect[] {
    for (const [peer, known] of this.#known) {
      if (now - known.heardAt > KNOWN_TTL_MS && !this.#links.has(peer)) this.#known.delete(peer)
    }
    const pending = [...this.#dials.values()].filter((path) => path === 'direct').length
    const degree = this.direct + pending
    if (!this.#able || degree >= this.#init.targetDegree) return []
    const urgent = degree < URGENT_DEGREE
    if (this.#dials.size >= (urgent ? this.#parallelMax : 1)) return []
    if (now - this.#lastDialAt < (urgent ? DIAL_SPACING_MS : DIAL_SPACING_CONTENT_MS)) return []
    const candidates = this.#candidates(now)
    const chosen = candidates[Math.floor(random * candidates.length)]
    if (chosen === undefined) return []
    const [peer, known] = chosen
    const relayed = known.failures === DIRECT_FAILURES_BEFORE_RELAYED && !this.#links.has(peer)
    const path = relayed ? 'relayed' : 'direct'
    this.#lastDialAt = now
    this.#dials.set(peer, path)
    return [{ type: 'dial', peer, addresses: known.addresses, path }]
  }

  /** Those with the fewest failures; which of them is left to chance, so that the mesh is a random graph. */
  #candidates(now: number): [string, KnownPeer][] {
    const due = [...this.#known].filter(([peer, known]) => {
      if (known.addresses.length === 0 || known.nextDialAt > now || this.#dials.has(peer)) return false
      if (this.#links.get(peer)?.path === 'direct') return false
      const yields = known.seeking && this.#init.self > peer && known.failures === 0
      return !yields || now - known.firstHeardAt >= TIE_BREAK_MS
    })
    const fewest = Math.min(...due.map(([, known]) => known.failures))
    return due.filter(([, known]) => known.failures === fewest)
  }

  #talkDue({ now, random }: MeshEvent): MeshEffect[] {
    const effects: MeshEffect[] = []
    if (!this.#able) return effects
    const { seeking } = this
    if (now >= this.#announceDueAt && now - this.#lastAnnounceAt >= ANNOUNCE_SPACING_MS) {
      this.#lastAnnounceAt = now
      const baseMs = seeking ? ANNOUNCE_SEEKING_MS : ANNOUNCE_CONTENT_MS
      this.#announceDueAt = now + Math.round(baseMs * (0.75 + random / 2))
      effects.push({ type: 'announce', seeking })
    }
    if (seeking && now >= this.#exchangeDueAt) {
      this.#exchangeDueAt = now + Math.round(EXCHANGE_SEEKING_MS * (0.75 + random / 2))
      effects.push({ type: 'exchange' })
    }
    return effects
  }

  #count(path: LinkPath): number {
    let count = 0
    for (const link of this.#links.values()) if (link.path === path) count++
    return count
  }
}
