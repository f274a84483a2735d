/**
 * Exponential pause with jitter: between half of and the whole of `baseMs * 2^failures`, at most `maxMs`.
 *
 * @param failures - Failures so far beyond the first; `0` gives about `baseMs`.
 * @param options.random - Uniform in `[0, 1)`.
 */
export function backoffMs(failures: number, options: { baseMs: number; maxMs: number; random: number }): number {
  const full = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 30))
  return Math.round(full / 2 + (full / 2) * options.random)
}
