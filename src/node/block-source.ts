import type { Cid, PeerId } from '../core/codec/ids.ts'
import { BlockUnavailableError, PeerUnreachableError } from '../net/errors.ts'
import type { Network } from '../net/network.ts'
import type { BlockStore } from './block-store.ts'
import type { BlockSource } from './ports.ts'

/** No block is waited for longer: its peer is gone or too slow to be useful. */
const FETCH_TIMEOUT_MS = 60_000

/** A stream dies with the relayed link it began on when a direct one takes over; the next attempt uses the new link. */
const FETCH_ATTEMPTS = 4
const FETCH_RETRY_MS = 250

/** Looks here first, then asks the named peers; one fetch of a block serves everybody who wants it at that time. */
export class PeerBlockSource implements BlockSource {
  readonly #blocks: BlockStore
  readonly #network: Network
  readonly #self: PeerId
  readonly #fetching = new Map<Cid, Promise<Uint8Array>>()

  constructor(blocks: BlockStore, network: Network, self: PeerId) {
    this.#blocks = blocks
    this.#network = network
    this.#self = self
  }

  async fetch(cid: Cid, from: readonly PeerId[], bytesMax: number): Promise<Uint8Array> {
    const here = await this.#blocks.get(cid)
    if (here !== undefined) return here
    const peers = from.filter((peer) => peer !== this.#self)
    if (peers.length === 0)
      throw new BlockUnavailableError(`Block ${cid} is not here, and nobody is known to have it`, { cid })
    const running = this.#fetching.get(cid)
    if (running !== undefined) return await running
    const fetching = this.#pull(cid, peers, bytesMax).finally(() => this.#fetching.delete(cid))
    this.#fetching.set(cid, fetching)
    return await fetching
  }

  async #pull(cid: Cid, from: readonly PeerId[], bytesMax: number): Promise<Uint8Array> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS)
    for (let attempt = 1; ; attempt++) {
      try {
        const bytes = await this.#network.fetchBlock(cid, from, { bytesMax, signal })
        this.#blocks.hold(cid, bytes)
        return bytes
      } catch (error) {
        const passing = error instanceof BlockUnavailableError || error instanceof PeerUnreachableError
        if (!passing || attempt === FETCH_ATTEMPTS) throw error
        await new Promise((resolve) => setTimeout(resolve, FETCH_RETRY_MS * attempt))
      }
    }
  }
}
