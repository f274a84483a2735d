import { useCallback, useEffect, useState } from 'react'
import { errorText } from './session.ts'

export interface Polled<T> {
  readonly value: T | null
  readonly error: string | null
  readonly reload: () => void
}

/**
 * Asks `read` again every `intervalMs` while the component is mounted and the tab visible. The last value stays while a read
 * fails, with the error beside it.
 */
export function usePolled<T>(read: () => Promise<T>, intervalMs: number): Polled<T> {
  const [value, setValue] = useState<T | null>(null)
  const [error, setError] = useState<string | null>(null)
  const [turn, setTurn] = useState(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn is a wish to read now
  useEffect(() => {
    let stopped = false
    let timer: ReturnType<typeof setTimeout> | null = null
    async function once(): Promise<void> {
      if (document.visibilityState === 'visible') {
        try {
          const next = await read()
          if (stopped) return
          setValue(next)
          setError(null)
        } catch (caught) {
          if (stopped) return
          setError(errorText(caught))
        }
      }
      timer = setTimeout(() => void once(), intervalMs)
    }
    void once()
    return () => {
      stopped = true
      if (timer !== null) clearTimeout(timer)
    }
  }, [read, intervalMs, turn])

  const reload = useCallback(() => setTurn((last) => last + 1), [])
  return { value, error, reload }
}
