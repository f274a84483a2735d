/**
 * The messages between the RTC bridge on the window and the stand-ins in the worker, over one MessagePort.
 * Both ends are our own code in one origin: the types are the validation.
 */

/** How the bytes of a data channel reach the worker; `auto` transfers and forwards where the browser refuses. */
export type ChannelMode = 'auto' | 'transfer' | 'forward'

/** Methods of RTCPeerConnection that the worker may call and await. */
export type RtcMethod =
  | 'createOffer'
  | 'createAnswer'
  | 'setLocalDescription'
  | 'setRemoteDescription'
  | 'addIceCandidate'
  | 'selectedRemoteAddress'

/** Certificates stay on the window; the worker names them. */
export type RtcConfigurationMessage = Omit<RTCConfiguration, 'certificates'> & { readonly certificateIds?: number[] }

export type WorkerToWindow =
  | { readonly type: 'create'; readonly pc: number; readonly configuration: RtcConfigurationMessage }
  | {
      readonly type: 'call'
      readonly pc: number
      readonly call: number
      readonly method: RtcMethod
      readonly argument?: RTCSessionDescriptionInit | RTCIceCandidateInit | null
    }
  | { readonly type: 'certificate'; readonly call: number; readonly algorithm: AlgorithmIdentifier }
  | { readonly type: 'close'; readonly pc: number }
  | {
      readonly type: 'open-channel'
      readonly pc: number
      readonly channel: number
      readonly label: string
      readonly init: RTCDataChannelInit | undefined
    }
  | { readonly type: 'send'; readonly channel: number; readonly data: string | ArrayBuffer }
  | { readonly type: 'low-threshold'; readonly channel: number; readonly bytes: number }
  | { readonly type: 'close-channel'; readonly channel: number }
  | { readonly type: 'stop' }

/** The fields of an RTCPeerConnection that the worker sees, as they were when the message left the window. */
export interface RtcPeerState {
  readonly connectionState: RTCPeerConnectionState
  readonly iceConnectionState: RTCIceConnectionState
  readonly iceGatheringState: RTCIceGatheringState
  readonly signalingState: RTCSignalingState
  readonly localDescription: RTCSessionDescriptionInit | null
  readonly remoteDescription: RTCSessionDescriptionInit | null
}

export type RtcPeerEvent =
  | 'connectionstatechange'
  | 'iceconnectionstatechange'
  | 'icegatheringstatechange'
  | 'signalingstatechange'
  | 'negotiationneeded'

/** What is known of a channel at the moment it is handed over. */
export interface RtcChannelInfo {
  readonly label: string
  readonly protocol: string
  readonly ordered: boolean
  readonly negotiated: boolean
  readonly id: number | null
  readonly readyState: RTCDataChannelState
}

export interface RtcCounts {
  readonly created: number
  readonly open: number
  readonly collected: number
  /** At how many not collected this browser should not be asked for more. */
  readonly limit: number
}

export type WindowToWorker =
  | { readonly type: 'result'; readonly call: number; readonly value: unknown; readonly state?: RtcPeerState }
  | { readonly type: 'failure'; readonly call: number; readonly name: string; readonly message: string }
  | { readonly type: 'create-failed'; readonly pc: number; readonly name: string; readonly message: string }
  | { readonly type: 'event'; readonly pc: number; readonly event: RtcPeerEvent; readonly state: RtcPeerState }
  | { readonly type: 'candidate'; readonly pc: number; readonly candidate: RTCIceCandidateInit | null }
  | { readonly type: 'candidate-error'; readonly pc: number; readonly code: number; readonly text: string }
  /** `transferred` is the channel itself; without it its messages are forwarded over this port. */
  | {
      readonly type: 'channel'
      readonly pc: number
      readonly channel: number
      readonly origin: 'local' | 'remote'
      readonly info: RtcChannelInfo
      readonly transferred?: RTCDataChannel
    }
  | { readonly type: 'channel-failed'; readonly channel: number; readonly name: string; readonly message: string }
  | { readonly type: 'channel-open'; readonly channel: number; readonly id: number | null }
  | { readonly type: 'channel-message'; readonly channel: number; readonly data: string | ArrayBuffer }
  /** `sent` counts the bytes that have left the window's buffer since the channel began. */
  | { readonly type: 'channel-low'; readonly channel: number; readonly sent: number }
  | { readonly type: 'channel-state'; readonly channel: number; readonly state: 'closing' | 'closed' }
  | { readonly type: 'channel-error'; readonly channel: number; readonly message: string }
  | { readonly type: 'counts'; readonly counts: RtcCounts }
