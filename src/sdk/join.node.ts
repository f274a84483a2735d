import { startNodePeer } from '../node/node-peer.ts'
import { relayInfo } from './relay-info.ts'
import { Starling } from './starling.ts'

export { JobEndedError, RelayUnavailableError } from './errors.ts'
export type { Input, Job } from './job.ts'
export type { ProgressListener, Run } from './run.ts'
export { Starling } from './starling.ts'

export interface JoinInit {
  /** Addresses of relays' pages, such as `http://localhost:4000`; the first that answers names the network. */
  readonly relay: string | readonly string[]
  /** Where this peer's key, jobs and results are kept; a peer without one forgets all when it ends. @default ':memory:' */
  readonly dataDir?: string
  /** Units of others computed at once when this peer lends. @default Half of the cores. */
  readonly workers?: number
}

/**
 * Joins the room from Node: starts a peer in this process.
 *
 * @throws {@link RelayUnavailableError} When no relay says how to join.
 */
export async function join(init: JoinInit): Promise<Starling> {
  const relays = [init.relay].flat()
  const infos = await Promise.allSettled(relays.map(relayInfo))
  const first = infos.find((info) => info.status === 'fulfilled')
  if (first === undefined) throw (infos[0] as PromiseRejectedResult).reason
  const peer = await startNodePeer({
    dataDir: init.dataDir ?? ':memory:',
    // Pages, not addresses: a relay that comes back with another key is found again.
    relays,
    networkId: first.value.networkId,
    ...(init.workers !== undefined && { workers: init.workers }),
  })
  return new Starling(peer, async () => await peer.stop())
}
