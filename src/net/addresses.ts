import type { PeerConnection } from './network.ts'

/** How a connection with this remote address carries its bytes. */
export function transportOf(address: string): PeerConnection['transport'] {
  // `/p2p-circuit/webrtc` is signalled through a circuit, and direct afterwards.
  if (/\/webrtc(\/|$)/.test(address)) return 'webrtc'
  if (address.includes('/p2p-circuit')) return 'circuit'
  if (address.includes('/webrtc-direct')) return 'webrtc-direct'
  if (address.includes('/webtransport')) return 'webtransport'
  if (/\/wss?(\/|$)/.test(address)) return 'websocket'
  return 'other'
}

/** The peer at the end of a multiaddr. */
export function peerOf(address: string): string | undefined {
  return address.match(/\/p2p\/([1-9A-HJ-NP-Za-km-z]+)$/)?.[1]
}

/** The relay that a circuit address goes through. */
export function relayOf(address: string): string | undefined {
  return address.match(/\/p2p\/([1-9A-HJ-NP-Za-km-z]+)\/p2p-circuit/)?.[1]
}

/**
 * The addresses worth dialling for a direct link, best first, one for each relay: those without a relay, then those
 * through a relay we are connected to, then the rest.
 */
export function directAddresses(addresses: readonly string[], connectedRelays: ReadonlySet<string>): string[] {
  const rank = (address: string): number => {
    const relay = relayOf(address)
    if (relay === undefined) return 0
    return connectedRelays.has(relay) ? 1 : 2
  }
  const seen = new Set<string>()
  return addresses
    .filter((address) => transportOf(address) !== 'circuit' && transportOf(address) !== 'other')
    .sort((a, b) => rank(a) - rank(b))
    .filter((address) => {
      const relay = relayOf(address) ?? address
      if (seen.has(relay)) return false
      seen.add(relay)
      return true
    })
}

/** The addresses at which a peer can be reached over a relay. */
export function relayedAddresses(addresses: readonly string[], connectedRelays: ReadonlySet<string>): string[] {
  const circuits = addresses
    .filter((address) => relayOf(address) !== undefined)
    .map((address) => address.replace('/p2p-circuit/webrtc/', '/p2p-circuit/'))
  const known = circuits.filter((address) => connectedRelays.has(relayOf(address) ?? ''))
  return [...new Set(known.length > 0 ? known : circuits)]
}
