import type { Connection } from '@libp2p/interface'

/** For sorting: the connection that opened last comes first. Older ones to the same peer may end at a process that is gone. */
export function byNewest(a: Connection, b: Connection): number {
  return b.timeline.open - a.timeline.open
}
