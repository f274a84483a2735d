import type { RtcProvider } from '../network.ts'
import { guardInitChannel } from './init-channel.ts'
import { RtcLink } from './link.ts'
import {
  type StandInCertificate,
  type StandInConfiguration,
  StandInIceCandidate,
  StandInPeerConnection,
  StandInSessionDescription,
} from './peer-connection.ts'

export interface ConnectRtcInit {
  /** For the test that shows the race: leaves it as it is. @default true */
  readonly dialRaceGuard?: boolean
}

/**
 * The worker's half of WebRTC: classes with the names and the ways of the window's, working through `port`.
 *
 * @param port - One end of a MessageChannel; the other goes to `serveRtc` on the window.
 */
export function connectRtc(port: MessagePort, init: ConnectRtcInit = {}): RtcProvider {
  const link = new RtcLink(port)
  const guarded = init.dialRaceGuard ?? true

  class RTCPeerConnection extends StandInPeerConnection {
    constructor(configuration?: StandInConfiguration) {
      super(link, configuration)
    }

    static generateCertificate(algorithm: AlgorithmIdentifier): Promise<StandInCertificate> {
      return link.generateCertificate(algorithm)
    }

    override createDataChannel(label: string, options?: RTCDataChannelInit) {
      const channel = super.createDataChannel(label, options)
      return guarded ? guardInitChannel(channel, this) : channel
    }
  }

  // The stand-ins have the members that libp2p's transports use, not all that the DOM's types list.
  return {
    RTCPeerConnection: RTCPeerConnection as unknown as typeof globalThis.RTCPeerConnection,
    RTCSessionDescription: StandInSessionDescription as unknown as typeof globalThis.RTCSessionDescription,
    RTCIceCandidate: StandInIceCandidate as unknown as typeof globalThis.RTCIceCandidate,
    budget: () => link.budget(),
    stop: () => link.stop(),
  }
}
