/**
 * The dial race of @libp2p/webrtc 6.0.33, closed from outside.
 *
 * The dialer opens a channel labelled `init`, and the listener closes it as soon as it sees it. The dialer then looks
 * at `readyState` and waits for `open`, and later for `close`. When `open` and `close` have both fired before it looks,
 * it waits for events that never come again, until its dial times out. docs/upstream/webrtc-dial-race.md has the
 * measurements and the change for libp2p itself.
 *
 * Here the two events are made sticky: whoever starts to listen for one that is past is called in the next microtask,
 * as a promise would do. Only the `init` channel is touched, and only what it says about its own past.
 *
 * A connection that fails or closes before the channel has opened makes the same dialer wait until it times out, for it
 * does not look at the connection any more. The channel then reports an error, which its waiter takes for its answer.
 */
export const INIT_CHANNEL_LABEL = 'init'

type Listener = EventListenerOrEventListenerObject | null

/** The members of a channel that the guard needs; the node-datachannel polyfill's channel has them too. */
export interface GuardableChannel extends EventTarget {
  readonly label: string
  readonly readyState: RTCDataChannelState
}

/** The members of a peer connection that the guard needs. */
export interface GuardableConnection extends EventTarget {
  readonly connectionState: RTCPeerConnectionState
}

/**
 * Makes `open` and `close` of an `init` channel sticky, and the end of its connection an error; any other channel is
 * left alone.
 *
 * @returns The same channel.
 */
export function guardInitChannel<T extends GuardableChannel>(channel: T, connection: GuardableConnection): T {
  if (channel.label !== INIT_CHANNEL_LABEL) return channel
  const past = new Set<string>()
  const add = channel.addEventListener.bind(channel)
  add('open', () => past.add('open'))
  add('close', () => past.add('close'))
  connection.addEventListener('connectionstatechange', () => {
    const { connectionState } = connection
    if (past.has('open') || past.has('error')) return
    if (connectionState !== 'failed' && connectionState !== 'closed') return
    past.add('error')
    channel.dispatchEvent(errorEvent())
  })
  channel.addEventListener = (type: string, listener: Listener, options?: boolean | AddEventListenerOptions) => {
    add(type, listener, options)
    if (!isPast(type, channel.readyState, past)) return
    queueMicrotask(() => {
      const event = type === 'error' ? errorEvent() : new Event(type)
      if (typeof listener === 'function') listener.call(channel, event)
      else listener?.handleEvent(event)
    })
  }
  return channel
}

/** p-event, which libp2p waits with, rejects with the event itself: it reads like an error. */
function errorEvent(): Event {
  const message = 'The RTCPeerConnection ended before its first channel opened'
  return Object.assign(new Event('error'), { name: 'ConnectionFailedError', message, error: new Error(message) })
}

/** A channel that is closing or closed will not open any more: for whoever waits, its opening is past. */
function isPast(type: string, state: RTCDataChannelState, past: ReadonlySet<string>): boolean {
  if (past.has('error')) return type === 'error'
  if (type === 'open') return past.has('open') || state === 'closing' || state === 'closed'
  if (type === 'close') return past.has('close') || state === 'closed'
  return false
}

/**
 * Guards every `init` channel that a class of peer connections makes from now on.
 *
 * @param peerConnection - The class; its prototype is changed.
 * @returns Takes the guard off again.
 */
export function guardDialRace(peerConnection: {
  prototype: GuardableConnection & { createDataChannel(label: string, init?: RTCDataChannelInit): GuardableChannel }
}): () => void {
  const { prototype } = peerConnection
  const original = prototype.createDataChannel
  prototype.createDataChannel = function guarded(this: unknown, label, init) {
    const connection = this as typeof prototype
    return guardInitChannel(original.call(connection, label, init), connection)
  }
  return () => {
    prototype.createDataChannel = original
  }
}
