import { useCallback, useRef, useSyncExternalStore } from 'react'

/** One value that changes, and who wants to know. */
export interface Store<T> {
  get(): T
  set(next: T): void
  subscribe(listener: () => void): () => void
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return
      value = next
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/**
 * The selected part of a store. A component renders again only when that part differs, not when the store changes.
 *
 * @param equal - Compares two selections. @default Object.is
 */
export function useStore<T, S>(
  store: Store<T>,
  select: (value: T) => S,
  equal: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ readonly value: S } | null>(null)
  const read = useCallback(() => {
    const next = select(store.get())
    if (last.current !== null && equal(last.current.value, next)) return last.current.value
    last.current = { value: next }
    return next
  }, [store, select, equal])
  return useSyncExternalStore(store.subscribe, read)
}

/** Whether two flat values have the same fields. */
export function shallowEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.is(a[key as keyof typeof a], b[key as keyof typeof b]))
}
