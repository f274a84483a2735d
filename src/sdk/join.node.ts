import { startNodePeer } from '../node/node-peer.node.ts'
import { Starling } from './starling.ts'

export { JobEndedError } from './errors.ts'
export type { Input, Job } from './job.ts'
export type { ProgressListener, Run } from './run.ts'
export { Starling } from './starling.ts'

export interface JoinInit {
  /** Address of a relay's page, such as `http://localhost:4000`. */
  readonly relay: string
  /** Where this peer's key, jobs and results are kept; a peer without one forgets all when it ends. @default ':memory:' */
  readonly dataDir?: string
}

/**
 * Joins the room from Node: starts a peer in this process.
 *
 * @throws `RendezvousError` When the relay does not say how to join.
 */
export async function join(init: JoinInit): Promise<Starling> {
  const peer = await startNodePeer({ relay: init.relay, dataDir: init.dataDir ?? ':memory:' })
  return new Starling(peer, async () => await peer.stop())
}
