import type { Stream } from '@libp2p/interface'
import { PeerUnreachableError, StreamEndedError } from './errors.ts'

/**
 * Waits until a stream takes more.
 *
 * Not the stream's own `onDrain`: in @libp2p/utils 7.4.1 its promise is never renewed, so that from the second time on
 * it resolves at once and whatever is written piles up in the stream.
 *
 * @throws {@link StreamEndedError} When the stream closes, {@link PeerUnreachableError} when nothing leaves in time.
 */
export async function drained(stream: Stream, options: { readonly timeoutMs: number }): Promise<void> {
  while (stream.writableNeedsDrain) await nextDrain(stream, options.timeoutMs)
}

function nextDrain(stream: Stream, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(timer)
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onDrain = () => done()
    const onClose = () => done(new StreamEndedError('The stream closed before it took everything'))
    const timer = setTimeout(() => {
      done(new PeerUnreachableError(`The peer has taken no byte for ${timeoutMs} ms`, { limit: timeoutMs }))
    }, timeoutMs)
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })
}
