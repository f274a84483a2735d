import { encode } from '../../../src/core/codec/cbor.ts'
import { TASKS_PROTOCOL } from '../../../src/core/tasks/messages.ts'
import { createNetwork as createHonest } from '../../../src/net/create-network.ts'
import { MESSAGES_BURST_MAX, MESSAGES_PER_SECOND_MAX } from '../../../src/net/limits.ts'
import type { Network, NetworkInit } from '../../../src/net/network.ts'

/** Long enough for both sides to have shown who they are. */
const BEGIN_AFTER_MS = 4_000
const ROUND_MS = 50
/** Several times what a peer may send in a round. */
const ROUND_MESSAGES = (4 * MESSAGES_PER_SECOND_MAX * ROUND_MS) / 1_000
const ROUNDS_MAX = 200
/** The queue to a peer takes that many. */
const BURST_MESSAGES = Math.min(MESSAGES_BURST_MAX, 8_000)

/** Nothing is wrong with it but that there are thousands of it. */
const BID = encode({
  ...{ type: 'bid', jobs: [], slots: 0, workers: 0 },
  ...{ gasPerSecond: 0, session: 0, grant: 0, held: [] },
})

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A network that sends one peer after the other more than anyone may, each until it is shown the door. */
export function createNetwork(init: NetworkInit): Network {
  const network = createHonest(init)
  const flooded = new Set<string>()
  let busy: Promise<void> = Promise.resolve()
  const send = (peer: string, messages: number): void => {
    try {
      for (let sent = 0; sent < messages; sent++) network.send(peer, TASKS_PROTOCOL, BID)
    } catch {
      // The queue is full: as fast as it gets.
    }
  }
  const isConnected = (peer: string): boolean => network.connections().some((each) => each.peer === peer && !each.relay)
  const flood = async (peer: string): Promise<void> => {
    send(peer, BURST_MESSAGES)
    for (let round = 0; round < ROUNDS_MAX && isConnected(peer); round++) {
      await rest(ROUND_MS)
      send(peer, ROUND_MESSAGES)
    }
  }
  network.on('peer:connect', ({ peer }) => {
    setTimeout(() => {
      if (flooded.has(peer) || !isConnected(peer)) return
      flooded.add(peer)
      busy = busy.then(() => flood(peer))
    }, BEGIN_AFTER_MS)
  })
  return network
}
