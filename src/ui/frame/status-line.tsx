import { CircleCheck, CircleDashed, CirclePause, TriangleAlert } from 'lucide-react'
import { useRoute } from 'wouter'
import { networkSentence, statusSentence } from '../format/reasons.ts'
import { useSessionView } from '../state/node-context.ts'
import { useNow } from '../state/now.ts'
import { PauseButton } from './pause-button.tsx'

const ICONS = { good: CircleCheck, busy: CircleDashed, idle: CirclePause, attention: TriangleAlert } as const

/** On every page: the state in words with its reason, and the pause. */
export function StatusLine() {
  const { phase, snapshot, role, silent } = useSessionView((view) => view)
  const now = useNow()
  const [home] = useRoute('/')
  const sentence =
    snapshot === null
      ? {
          text: phase === 'failed' ? 'This tab could not start its node' : 'Starting this tab’s node',
          tone: 'busy' as const,
        }
      : // Home says in large what the tab lends, with the pause beside it.
        (home ? networkSentence : statusSentence)(snapshot, now)
  const tone = phase === 'failed' || silent ? 'attention' : sentence.tone
  const Icon = ICONS[tone]
  const text = silent ? 'The node has not answered for a while; asking again' : sentence.text
  const viewer = role === 'viewer' && snapshot !== null ? ' · runs in another tab' : ''
  return (
    <header className="status">
      <Icon className={`status-light status-${tone}`} aria-hidden="true" />
      <p className="grow truncate small" title={text + viewer} data-testid="status">
        {text}
        <span className="quiet">{viewer}</span>
      </p>
      {snapshot === null || home ? null : <PauseButton />}
    </header>
  )
}
