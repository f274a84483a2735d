import { StandInDataChannel } from './data-channel.ts'
import type { RtcLink } from './link.ts'
import type { RtcMethod, RtcPeerEvent, RtcPeerState } from './protocol.ts'

/** In a worker there is no RTCSessionDescription; this one has its fields. */
export class StandInSessionDescription {
  readonly type: RTCSdpType
  readonly sdp: string

  constructor(init: RTCSessionDescriptionInit) {
    this.type = init.type
    this.sdp = init.sdp ?? ''
  }

  toJSON(): RTCSessionDescriptionInit {
    return { type: this.type, sdp: this.sdp }
  }
}

/** In a worker there is no RTCIceCandidate; this one has the fields that are signalled. */
export class StandInIceCandidate {
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
  readonly usernameFragment: string | null

  constructor(init: RTCIceCandidateInit = {}) {
    this.candidate = init.candidate ?? ''
    this.sdpMid = init.sdpMid ?? null
    this.sdpMLineIndex = init.sdpMLineIndex ?? null
    this.usernameFragment = init.usernameFragment ?? null
  }

  toJSON(): RTCIceCandidateInit {
    const { candidate, sdpMid, sdpMLineIndex, usernameFragment } = this
    return { candidate, sdpMid, sdpMLineIndex, usernameFragment }
  }
}

/** A certificate that lives on the window. */
export interface StandInCertificate {
  readonly id: number
  readonly expires: number
}

export type StandInConfiguration = Omit<RTCConfiguration, 'certificates'> & {
  readonly certificates?: readonly StandInCertificate[]
}

const INITIAL_STATE: RtcPeerState = {
  connectionState: 'new',
  iceConnectionState: 'new',
  iceGatheringState: 'new',
  signalingState: 'stable',
  localDescription: null,
  remoteDescription: null,
}

/**
 * An RTCPeerConnection as libp2p's WebRTC transports use it, in a worker; the real one is on the window.
 *
 * Its state is what the window last said: events and results arrive in the order in which they happened there, so a
 * listener sees the state that belongs to its event.
 */
export class StandInPeerConnection extends EventTarget {
  onconnectionstatechange: ((event: Event) => void) | null = null
  oniceconnectionstatechange: ((event: Event) => void) | null = null
  onicegatheringstatechange: ((event: Event) => void) | null = null
  onsignalingstatechange: ((event: Event) => void) | null = null
  onnegotiationneeded: ((event: Event) => void) | null = null
  onicecandidate: ((event: Event & { candidate: StandInIceCandidate | null }) => void) | null = null
  onicecandidateerror: ((event: Event) => void) | null = null
  ondatachannel: ((event: Event & { channel: StandInDataChannel }) => void) | null = null

  readonly #link: RtcLink
  readonly #id: number
  #state: RtcPeerState = INITIAL_STATE
  #closed = false

  constructor(link: RtcLink, configuration: StandInConfiguration = {}) {
    super()
    this.#link = link
    const { certificates, ...rest } = configuration
    const certificateIds = certificates?.map((certificate) => certificate.id)
    this.#id = link.create(this, certificateIds === undefined ? rest : { ...rest, certificateIds })
  }

  get connectionState(): RTCPeerConnectionState {
    return this.#closed ? 'closed' : this.#state.connectionState
  }

  get iceConnectionState(): RTCIceConnectionState {
    return this.#closed ? 'closed' : this.#state.iceConnectionState
  }

  get iceGatheringState(): RTCIceGatheringState {
    return this.#state.iceGatheringState
  }

  get signalingState(): RTCSignalingState {
    return this.#closed ? 'closed' : this.#state.signalingState
  }

  get localDescription(): RTCSessionDescriptionInit | null {
    return this.#state.localDescription
  }

  get remoteDescription(): RTCSessionDescriptionInit | null {
    return this.#state.remoteDescription
  }

  async createOffer(): Promise<RTCSessionDescriptionInit> {
    return (await this.#call('createOffer')) as RTCSessionDescriptionInit
  }

  async createAnswer(): Promise<RTCSessionDescriptionInit> {
    return (await this.#call('createAnswer')) as RTCSessionDescriptionInit
  }

  async setLocalDescription(description?: RTCSessionDescriptionInit): Promise<void> {
    await this.#call('setLocalDescription', description && { type: description.type, sdp: description.sdp ?? '' })
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    await this.#call('setRemoteDescription', { type: description.type, sdp: description.sdp ?? '' })
  }

  async addIceCandidate(candidate?: RTCIceCandidateInit | StandInIceCandidate | null): Promise<void> {
    const init = candidate instanceof StandInIceCandidate ? candidate.toJSON() : candidate
    await this.#call('addIceCandidate', init ?? null)
  }

  /**
   * Statistics live on the window. The one that is used here is the address of the other end, so that is all a report holds.
   */
  async getStats(): Promise<ReadonlyMap<string, object>> {
    const address = (await this.#call('selectedRemoteAddress')) as string | undefined
    return new Map<string, object>([
      ['pair', { id: 'pair', type: 'candidate-pair', selected: true, remoteCandidateId: 'remote' }],
      ['remote', { id: 'remote', type: 'remote-candidate', address: address ?? null }],
    ])
  }

  createDataChannel(label: string, init?: RTCDataChannelInit): StandInDataChannel {
    if (this.#closed) throw new DOMException('The RTCPeerConnection is closed', 'InvalidStateError')
    const channel = new StandInDataChannel({
      label,
      protocol: init?.protocol ?? '',
      ordered: init?.ordered ?? true,
      negotiated: init?.negotiated ?? false,
      id: init?.id ?? null,
    })
    this.#link.openChannel(this.#id, channel, { label, init })
    return channel
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#link.close(this.#id)
  }

  #call(method: RtcMethod, argument?: RTCSessionDescriptionInit | RTCIceCandidateInit | null): Promise<unknown> {
    if (this.#closed) return Promise.reject(new DOMException('The RTCPeerConnection is closed', 'InvalidStateError'))
    return this.#link.call(this.#id, method, argument)
  }

  /** The window says how things are now; called before the event or result that goes with it. */
  updateState(state: RtcPeerState): void {
    this.#state = state
  }

  emitState(event: RtcPeerEvent): void {
    this.#emit(event, new Event(event))
  }

  emitCandidate(candidate: RTCIceCandidateInit | null): void {
    const standIn = candidate === null ? null : new StandInIceCandidate(candidate)
    this.#emit('icecandidate', Object.assign(new Event('icecandidate'), { candidate: standIn }))
  }

  emitCandidateError(code: number, text: string): void {
    const event = Object.assign(new Event('icecandidateerror'), { errorCode: code, errorText: text })
    this.#emit('icecandidateerror', event)
  }

  emitChannel(channel: StandInDataChannel): void {
    this.#emit('datachannel', Object.assign(new Event('datachannel'), { channel }))
  }

  /** The window could not make the connection, or the bridge went away. */
  fail(): void {
    if (this.#closed) return
    this.#state = { ...this.#state, connectionState: 'failed' }
    this.emitState('connectionstatechange')
  }

  #emit(type: RtcPeerEvent | 'icecandidate' | 'icecandidateerror' | 'datachannel', event: Event): void {
    if (this.#closed) return
    // Each handler is typed by its own event; the names tie the two together.
    const handler = this[`on${type}`] as ((event: Event) => void) | null
    handler?.call(this, event)
    this.dispatchEvent(event)
  }
}
