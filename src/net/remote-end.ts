import type { Stream } from '@libp2p/interface'

/**
 * Calls back when the other side has written its last.
 *
 * A stream hands what came before anybody listened to the first listener, but not its end: who opens a stream, writes and
 * closes it may be done before a handler is found. Call this after listening to messages; they come first.
 */
export function onRemoteEnd(stream: Stream, ended: () => void): void {
  if (stream.remoteWriteStatus === 'closed') queueMicrotask(ended)
  else stream.addEventListener('remoteCloseWrite', ended, { once: true })
}
