import { TASKS_PROTOCOL } from '../../../src/core/tasks/messages.ts'
import { createNetwork as createHonest } from '../../../src/net/create-network.ts'
import type { Network, NetworkInit } from '../../../src/net/network.ts'

/** How often each publication is told again, and how soon after each other. */
const TIMES = 40
const AGAIN_INTERVAL_MS = 100
/** More would only slow the machine that runs the test. For each topic and protocol: there are more announcements than offers. */
const REPLAYS_PER_SECOND_MAX = 50

/** A network that tells everything it hears again, in its own name: publications to all, messages to everyone connected. */
export function createNetwork(init: NetworkInit): Network {
  const network = createHonest(init)
  const left = new Map<string, number>()
  setInterval(() => left.clear(), 1_000)
  const again = (what: string, replay: () => void): void => {
    const budget = left.get(what) ?? REPLAYS_PER_SECOND_MAX
    if (budget <= 0) return
    left.set(what, budget - 1)
    replay()
  }
  const { subscribe, handle } = network
  network.subscribe = (topic, handler) =>
    subscribe.call(network, topic, (from, data) => {
      const copy = data.slice()
      handler(from, data)
      for (let time = 0; time < TIMES; time++) {
        const publish = (): void => again(topic, () => void network.publish(topic, copy).catch(() => undefined))
        setTimeout(publish, time * AGAIN_INTERVAL_MS)
      }
    })
  network.handle = (protocol, handler) =>
    handle.call(network, protocol, (from, message) => {
      const copy = message.slice()
      handler(from, message)
      // Shown credentials are answered by credentials: two peers that repeat them would never end.
      if (protocol !== TASKS_PROTOCOL) return
      for (const { peer, relay } of network.connections()) {
        if (!relay) again(protocol, () => network.send(peer, protocol, copy))
      }
    })
  return network
}
