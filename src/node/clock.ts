/**
 * The wall clock, held still where it would run backwards: state machines count on time that does not. A clock that was set back
 * catches up by itself.
 */
export function monotonicClock(read: () => number = Date.now): () => number {
  let last = 0
  return () => {
    last = Math.max(last, read())
    return last
  }
}
