/**
 * A race of libdatachannel, the WebRTC of Node, closed from outside.
 *
 * It hands an answer to ICE first and notes it for itself after that. An answerer that knows the offerer's candidates has sent its checks
 * long before, so on a fast network ICE and DTLS can be through in between: the offerer then finds no fingerprint to compare the certificate
 * with, and the connection has failed. Of 150 dials between two Node peers on loopback eleven ended so; docs/upstream/libdatachannel-answer-race.md.
 *
 * Here the offerer's candidates wait for the answer. Whoever answers has nothing to send checks to before; ICE begins a moment later.
 */

/** The members of a peer connection that are of use here. */
interface Offerer extends EventTarget {
  readonly signalingState: RTCSignalingState
  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>
}

/**
 * Keeps the candidates of every offerer of a class back until it has its answer.
 *
 * @param peerConnection - The class; its prototype is changed. It must dispatch its own events, as node-datachannel's polyfill does.
 * @returns Undoes it.
 */
export function holdOfferedCandidates(peerConnection: { prototype: Offerer }): () => void {
  const { prototype } = peerConnection
  const { dispatchEvent, setRemoteDescription } = prototype
  const held = new WeakMap<Offerer, Event[]>()
  prototype.dispatchEvent = function holding(this: Offerer, event) {
    if (event.type !== 'icecandidate' || this.signalingState !== 'have-local-offer')
      return dispatchEvent.call(this, event)
    held.set(this, [...(held.get(this) ?? []), event])
    return true
  }
  prototype.setRemoteDescription = async function releasing(this: Offerer, description) {
    await setRemoteDescription.call(this, description)
    for (const event of held.get(this) ?? []) dispatchEvent.call(this, event)
    held.delete(this)
  }
  return () => Object.assign(prototype, { dispatchEvent, setRemoteDescription })
}
