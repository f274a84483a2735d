import { useCallback } from 'react'
import { Link } from 'wouter'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { identityWords, needsAttention } from '../identity/words.ts'

const READ_INTERVAL_MS = 30_000

/** One quiet line while the identity could be lost, or something is wrong with it. */
export function IdentityNag() {
  const node = useNode()
  const read = useCallback(() => node.identity(), [node])
  const { value } = usePolled(read, READ_INTERVAL_MS)
  if (value === null || !needsAttention(value)) return null
  return (
    <p className="quiet small">
      {identityWords(value).title}: <Link href="/identity">look after your identity</Link>
    </p>
  )
}
