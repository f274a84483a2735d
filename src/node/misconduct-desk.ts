import type { PeerId, RootId } from '../core/codec/ids.ts'
import { BARRED_GUESTS_MAX, BLACKLIST_MS } from '../core/trust/limits.ts'
import { type Misconduct, MisconductMeter, type MisconductVerdict } from '../core/trust/misconduct.ts'
import type { Network } from '../net/network.ts'
import type { MisconductReport, SecurityLog } from './security-log.ts'

export interface MisconductDeskInit {
  readonly network: Network
  readonly log: SecurityLog
  readonly now: () => number
  readonly self: PeerId
  readonly rootOf: (peer: PeerId) => RootId | null
  /** Bars a root by evidence, and lets its devices go. */
  readonly convict: (peer: PeerId, root: RootId) => void
}

/**
 * Bars who keeps doing what no honest peer does. An identity is barred as for any other evidence; a guest, who has none, is kept out
 * by its key while this peer runs. Rule [T26].
 */
export class MisconductDesk {
  readonly #init: MisconductDeskInit
  readonly #meter = new MisconductMeter<string>()
  /** Guests kept out and until when, oldest first. */
  readonly #guests = new Map<PeerId, number>()

  constructor(init: MisconductDeskInit) {
    this.#init = init
  }

  start(): void {
    this.#init.log.onMisconduct((report) => this.#blame(report))
  }

  /** Whether a guest did too much of it lately. */
  isKeptOut(peer: PeerId): boolean {
    const untilMs = this.#guests.get(peer)
    return untilMs !== undefined && this.#init.now() < untilMs
  }

  #blame({ peer, kind, evidence }: MisconductReport): void {
    const { self, rootOf, now } = this.#init
    if (peer === self || this.#isRelay(peer)) return
    const root = rootOf(peer)
    // Devices of one identity answer for it together.
    const verdict = this.#meter.blame(root ?? peer, { nowMs: now(), kind, evidence })
    if (verdict !== null) this.#convict(peer, root, verdict)
  }

  /** Relays carry what others send and were chosen by the owner; nothing is gained by losing the only one. */
  #isRelay(peer: PeerId): boolean {
    return this.#init.network.connections().some((connection) => connection.peer === peer && connection.relay)
  }

  #convict(peer: PeerId, root: RootId | null, { counts, evidence }: MisconductVerdict): void {
    const { log, network, now, convict } = this.#init
    const message = `Sent what no honest peer sends: ${inWords(counts)}`
    log.add({ type: 'peer-misconduct', peerId: peer, rootId: root, message, evidence })
    if (root !== null) return convict(peer, root)
    this.#guests.delete(peer)
    this.#guests.set(peer, now() + BLACKLIST_MS)
    const [oldest] = this.#guests.keys()
    if (this.#guests.size > BARRED_GUESTS_MAX && oldest !== undefined) this.#guests.delete(oldest)
    network.disconnect(peer)
  }
}

const WORDS: Readonly<Record<Misconduct, string>> = {
  forged: 'forged',
  replayed: 'of others told again',
  foreign: 'of another network',
  malformed: 'malformed',
  oversized: 'oversized',
  rate: 'over the rate',
}

function inWords(counts: MisconductVerdict['counts']): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${count} ${WORDS[kind]}`)
    .join(', ')
}
