import type { Connection } from '@libp2p/interface'
import type { Diversity, Origin } from '../core/admission/diversity.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import { ADDRESS_RETRY_MS, ADDRESS_TRIES_MAX } from './limits.ts'
import { selectedRemoteAddress } from './rtc/selected-address.ts'

export interface DiversityGuardInit {
  readonly diversity: Diversity
  /** The best connection to a peer. */
  readonly connectionOf: (peer: string) => Connection | undefined
  /** Its subnet or relay has its share of the connections already: it is to be let go. */
  readonly onFull: (peer: string, error: Error) => void
  /** @default ADDRESS_RETRY_MS */
  readonly retryMs?: number
}

/** Counts every link where its packets come from, and lets go of those above their subnet's share. Rule [A15]. */
export class DiversityGuard {
  readonly #init: DiversityGuardInit

  constructor(init: DiversityGuardInit) {
    this.#init = init
  }

  /** A peer is linked, or by another path than before. */
  async linked(peer: string): Promise<void> {
    const connection = this.#init.connectionOf(peer)
    if (connection === undefined) return
    let origin = await originOf(connection)
    // A browser knows who sends from an address only once its candidate was signalled too: a little later, as a rule.
    for (let tries = 0; isUnknown(origin) && tries < ADDRESS_TRIES_MAX; tries++) {
      await new Promise((resolve) => setTimeout(resolve, this.#init.retryMs ?? ADDRESS_RETRY_MS))
      origin = await originOf(connection)
    }
    // It may have left while the statistics were asked for.
    if (this.#init.connectionOf(peer) !== connection) return
    try {
      this.#init.diversity.add(peer, origin)
    } catch (error) {
      this.#init.onFull(peer, error as Error)
    }
  }

  unlinked(peer: string): void {
    this.#init.diversity.remove(peer)
  }
}

function isUnknown(origin: Origin): boolean {
  return origin.kind === 'address' && origin.address === ''
}

/** Where a connection comes from. */
export async function originOf(connection: Connection): Promise<Origin> {
  const address = connection.remoteAddr.toString()
  if (address.includes('/webrtc') && address.includes('/p2p-circuit')) {
    // The signalling went through a relay, the link does not. libp2p keeps the RTCPeerConnection below the connection.
    const { maConn } = connection as { maConn?: { peerConnection?: Parameters<typeof selectedRemoteAddress>[0] } }
    const pc = maConn?.peerConnection
    const found = pc === undefined ? null : await selectedRemoteAddress(pc).catch(() => null)
    return { kind: 'address', address: found ?? '' }
  }
  if (address.includes('/p2p-circuit')) {
    const relay = address.split('/p2p-circuit')[0]?.split('/').at(-1) ?? ''
    return { kind: 'relay', relay: isPeerId(relay) ? relay : 'unknown' }
  }
  const [, , host = ''] = address.split('/')
  return { kind: 'address', address: host }
}
