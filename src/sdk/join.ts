import { openNode } from '../node/browser.ts'
import type { NodeApi } from '../node/contract.ts'
import { Starling } from './starling.ts'

export { JobEndedError } from './errors.ts'
export type { Input, Job } from './job.ts'
export type { ProgressListener, Run } from './run.ts'
export { Starling } from './starling.ts'

export interface JoinInit {
  /** Addresses of relays' pages. @default The page's own origin. */
  readonly relay?: string | readonly string[]
}

/**
 * Joins the room from a page. There is one node for each origin: where this page already runs it, or shows another tab's, that one is used.
 */
export async function join(init: JoinInit = {}): Promise<Starling> {
  const running = (globalThis as { starling?: NodeApi }).starling
  if (running !== undefined) return new Starling(running, async () => undefined)
  const handle = await openNode(init.relay === undefined ? {} : { relays: [init.relay].flat() })
  return new Starling(handle.api, async () => handle.close())
}
