import { absolute, relative } from '../format/time.ts'
import { useNow } from '../state/now.ts'

const MINUTE_MS = 60_000

/** When something was, relative to now, with date and time on hover. */
export function RelativeTime({ at }: { readonly at: number }) {
  const near = Math.abs(Date.now() - at) < MINUTE_MS
  const now = useNow(near ? 1_000 : MINUTE_MS / 2)
  return (
    <time dateTime={new Date(at).toISOString()} title={absolute(at)}>
      {relative(at, Math.max(now, near ? 0 : Date.now()))}
    </time>
  )
}
