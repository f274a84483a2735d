/** Forgets the oldest beyond a bound. */
export function forgetOldest(collection: Set<string> | Map<string, string>, max: number): void {
  for (const oldest of collection.keys()) {
    if (collection.size <= max) return
    collection.delete(oldest)
  }
}
