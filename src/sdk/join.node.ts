import nodeDatachannel from 'node-datachannel'
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

/** Peers of this process that have not left; WebRTC's native threads are shared by them all. */
let present = 0

/**
 * Joins the room from Node: starts a peer in this process.
 *
 * @throws `RendezvousError` When the relay does not say how to join.
 */
export async function join(init: JoinInit): Promise<Starling> {
  const peer = await startNodePeer({ relay: init.relay, dataDir: init.dataDir ?? ':memory:' })
  present++
  return new Starling(peer, async () => {
    await peer.stop()
    // A connection that was still being made keeps a native thread, and with it the program, alive after everything has stopped.
    if (--present === 0) nodeDatachannel.cleanup()
  })
}
