const POLL_MS = 100
/** Machines that run these tests are slow and shared; a state that never comes still ends the test. */
const TIMEOUT_MS = 90_000

/**
 * Waits for a state, not for a time.
 *
 * @throws Error Naming what was waited for, with the last error the check threw, if any.
 */
export async function until(what: string, holds: () => Promise<boolean>, timeoutMs = TIMEOUT_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      if (await holds()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      const why = last instanceof Error ? `; last error: ${last.message}` : ''
      throw new Error(`Waited ${timeoutMs} ms for ${what}${why}`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
