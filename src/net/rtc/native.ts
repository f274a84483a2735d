import { RTC_PEER_CONNECTIONS_MAX } from '../limits.ts'
import type { RtcBudget } from '../network.ts'
import { guardDialRace } from './init-channel.ts'
import { holdOfferedCandidates } from './offered-candidates.ts'

let guard: Promise<void> | undefined

/**
 * Closes libp2p's dial race, and libdatachannel's own, in the WebRTC that Node uses (node-datachannel).
 *
 * The specifier is not a literal, so that bundlers of the browser's build do not follow it to a native module.
 */
export function guardNodeDialRace(): Promise<void> {
  const specifier = 'node-datachannel/polyfill'
  guard ??= import(/* @vite-ignore */ specifier).then((polyfill) => {
    guardDialRace(polyfill.RTCPeerConnection)
    holdOfferedCandidates(polyfill.RTCPeerConnection)
  })
  return guard
}

/** Node has no such limit; connections are counted by the host's links alone. */
export function nativeBudget(open: number): RtcBudget {
  return { used: open, open, created: open, limit: RTC_PEER_CONNECTIONS_MAX, channels: 'native' }
}
