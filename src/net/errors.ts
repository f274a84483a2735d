import { StarlingError } from '../core/codec/errors.ts'

/** A frame of another peer broke a rule of its protocol; the stream it came on is closed. */
export class BadFrameError extends StarlingError {
  override readonly name = 'BadFrameError'
}

/** A peer sent more messages in a second than it may; the stream is closed. */
export class RateExceededError extends StarlingError {
  override readonly name = 'RateExceededError'
}

/** No stream to the peer could be opened, after the retries. The messages queued for it are dropped. */
export class PeerUnreachableError extends StarlingError {
  override readonly name = 'PeerUnreachableError'
}

/** None of the peers asked has the block, or none sent it whole. */
export class BlockUnavailableError extends StarlingError {
  override readonly name = 'BlockUnavailableError'
}

/** The other side ended a stream, or went silent on it. */
export class StreamEndedError extends StarlingError {
  override readonly name = 'StreamEndedError'
}

/** A peer says that it does not have a block; others may. */
export class BlockMissingError extends StarlingError {
  override readonly name = 'BlockMissingError'
}

/** The network was asked for something before `start` or after `stop`. */
export class NetworkStoppedError extends StarlingError {
  override readonly name = 'NetworkStoppedError'
}

/** The browser's limit of RTCPeerConnections is used up in this tab. */
export class RtcBudgetError extends StarlingError {
  override readonly name = 'RtcBudgetError'
}

/** The bridge between worker and window was stopped, or was never connected. */
export class RtcBridgeError extends StarlingError {
  override readonly name = 'RtcBridgeError'
}

/** What is listed as a relay is neither a multiaddr with a peer id nor a page that names some. */
export class RelayAddressError extends StarlingError {
  override readonly name = 'RelayAddressError'
}
