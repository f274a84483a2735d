/**
 * Runs an asynchronous refresh at most once per `intervalMs`, never twice at a time, and once more after the last request.
 *
 * A job of 2,000 units says thousands of times that something changed; a page needs to look four times a second.
 */
export interface Coalesced {
  request(): void
  stop(): void
}

export function coalesce(refresh: () => Promise<void>, intervalMs: number): Coalesced {
  let timer: ReturnType<typeof setTimeout> | null = null
  let running = false
  let wanted = false
  let stopped = false
  let lastAt = Number.NEGATIVE_INFINITY

  function schedule(): void {
    if (stopped || running || timer !== null) return
    const wait = Math.max(0, lastAt + intervalMs - performance.now())
    timer = setTimeout(run, wait)
  }

  function run(): void {
    timer = null
    running = true
    wanted = false
    lastAt = performance.now()
    void refresh().finally(() => {
      running = false
      if (wanted) schedule()
    })
  }

  return {
    request: () => {
      wanted = true
      schedule()
    },
    stop: () => {
      stopped = true
      if (timer !== null) clearTimeout(timer)
    },
  }
}
