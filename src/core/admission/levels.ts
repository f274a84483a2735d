import type { PeerId, RootId } from '../codec/ids.ts'
import { CREDENTIALS_WAIT_MS, LEVELS_MAX } from './limits.ts'

/** What is known of the right of one connected peer. `unknown` becomes `guest` when it shows nothing. */
export type Level =
  | { readonly level: 'unknown'; readonly sinceMs: number }
  | { readonly level: 'guest'; readonly root: RootId | null }
  | { readonly level: 'admitted'; readonly root: RootId; readonly expiresAtMs: number | null }

export interface LevelChange {
  readonly peer: PeerId
  readonly before: Level['level'] | null
  readonly level: Level | null
}

/** The levels of everyone connected: a state machine for each peer. Rule [A12]. */
export class Levels {
  readonly #peers = new Map<PeerId, Level>()

  get(peer: PeerId): Level | null {
    return this.#peers.get(peer) ?? null
  }

  admitted(peer: PeerId): RootId | null {
    const known = this.#peers.get(peer)
    return known?.level === 'admitted' ? known.root : null
  }

  entries(): IterableIterator<[PeerId, Level]> {
    return this.#peers.entries()
  }

  /** Somebody connected; what was known of an earlier connection does not count. */
  connected(peer: PeerId, nowMs: number): LevelChange[] {
    if (this.#peers.has(peer) || this.#peers.size >= LEVELS_MAX) return []
    return this.#set(peer, { level: 'unknown', sinceMs: nowMs })
  }

  /** Its credentials were judged. Also for one that is not known to be connected yet: news of it may come later. */
  judged(peer: PeerId, level: Exclude<Level, { level: 'unknown' }>): LevelChange[] {
    if (!this.#peers.has(peer) && this.#peers.size >= LEVELS_MAX) return []
    return this.#set(peer, level)
  }

  disconnected(peer: PeerId): LevelChange[] {
    const before = this.#peers.get(peer)
    if (before === undefined) return []
    this.#peers.delete(peer)
    return [{ peer, before: before.level, level: null }]
  }

  /** Ends waits and tickets that are over. */
  tick(nowMs: number): LevelChange[] {
    return [...this.#peers].flatMap(([peer, known]) => {
      if (known.level === 'unknown' && nowMs - known.sinceMs >= CREDENTIALS_WAIT_MS) {
        return this.#set(peer, { level: 'guest', root: null })
      }
      if (known.level === 'admitted' && known.expiresAtMs !== null && nowMs >= known.expiresAtMs) {
        return this.#set(peer, { level: 'guest', root: known.root })
      }
      return []
    })
  }

  #set(peer: PeerId, level: Level): LevelChange[] {
    const before = this.#peers.get(peer)
    this.#peers.set(peer, level)
    if (before?.level === level.level && rootOf(before) === rootOf(level)) return []
    return [{ peer, before: before?.level ?? null, level }]
  }
}

function rootOf(level: Level): RootId | null {
  return level.level === 'unknown' ? null : level.root
}
