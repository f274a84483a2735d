import { RtcBridgeError } from '../errors.ts'
import type { RtcProvider } from '../network.ts'
import { StandInIceCandidate, StandInSessionDescription } from './peer-connection.ts'

/**
 * Puts the RTC classes where libp2p looks for them. @libp2p/webrtc reads `globalThis.RTCPeerConnection` while it is
 * imported, long before a port to the window exists, so what it finds must be there first and find its provider later.
 * Importing this module before `libp2p` is all that is needed; where the platform has the classes nothing happens.
 */
let provider: RtcProvider | undefined

/** The provider behind the global classes from now on. */
export function provideRtc(next: RtcProvider | undefined): void {
  provider = next
}

function required(): RtcProvider {
  if (provider === undefined) throw new RtcBridgeError('No RTC bridge is connected in this worker')
  return provider
}

// Node has no WorkerGlobalScope, and its WebRTC does not come from the globals.
if ('WorkerGlobalScope' in globalThis && typeof globalThis.RTCPeerConnection === 'undefined') {
  const handler: ProxyHandler<() => void> = {
    construct: (_target, [configuration]) => new (required().RTCPeerConnection)(configuration),
    get: (target, property, receiver) =>
      property === 'generateCertificate'
        ? required().RTCPeerConnection.generateCertificate
        : Reflect.get(target, property, receiver),
  }
  // A plain function, because an arrow cannot be constructed.
  const target = function RTCPeerConnection() {} as () => void
  Object.assign(globalThis, {
    RTCPeerConnection: new Proxy(target, handler),
    RTCSessionDescription: StandInSessionDescription,
    RTCIceCandidate: StandInIceCandidate,
  })
}
