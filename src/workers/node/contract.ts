import type { NodeApi } from '../../node/contract.ts'

export interface NodeWorkerInit {
  /** Name of the IndexedDB databases of this peer; two names at one origin are two peers. */
  readonly name: string
  /** Multiaddrs of relays, or the origin whose `/.well-known/starling.json` lists them. */
  readonly relays: readonly string[]
  readonly networkId: string
  /** What an invite link starts with: the page's own address. */
  readonly pageUrl: string
  /** What the link that this page was opened by invites with; `null` when it does not. */
  readonly invite: string | null
}

/** What the node worker offers to the window that made it. */
export interface NodeWorkerApi {
  /**
   * Starts the peer; called once. Resolves when it runs, which never waits for a relay.
   *
   * @param rtc - Port of the RTC bridge that the window serves; transferred.
   * @param workers - Port by which the window makes further workers, where it must; transferred.
   */
  start(init: NodeWorkerInit, rtc: MessagePort, workers: MessagePort | null): Promise<NodeApi>
}
