import { ChevronDown, Pause, Play } from 'lucide-react'
import { Button } from '../parts/button.tsx'
import { Menu, MenuItem } from '../parts/menu.tsx'
import { act } from '../parts/toasts.tsx'
import { useSession, useSnapshot } from '../state/node-context.ts'

const HOUR_MS = 3_600_000
const PAUSES = [
  { words: 'For 30 minutes', ms: HOUR_MS / 2 },
  { words: 'For 1 hour', ms: HOUR_MS },
  { words: 'For 8 hours', ms: 8 * HOUR_MS },
  { words: 'Until I resume', ms: null },
] as const

type Standing = 'not-lending' | 'lending' | 'paused' | 'held'

/** Stops lending at once, for as long as one likes; resumes when a person paused it. */
export function PauseButton() {
  const session = useSession()
  const standing = useSnapshot<Standing>(({ lending }) => {
    if (!lending.settings.optedIn) return 'not-lending'
    if (lending.pausedBecause.length === 0) return 'lending'
    return lending.pausedBecause.some((reason) => reason.code === 'user') ? 'paused' : 'held'
  }, 'not-lending')

  const pause = (ms: number | null): void =>
    act('Pausing', async () => {
      await session.api.pause(ms)
      await session.refresh()
    })
  const resume = (): void =>
    act('Resuming', async () => {
      await session.api.resume()
      await session.refresh()
    })

  if (standing === 'not-lending') return null
  if (standing === 'paused') {
    return (
      <Button look="primary" icon={<Play aria-hidden="true" />} onClick={resume}>
        Resume
      </Button>
    )
  }
  return (
    <Menu
      label="Pause lending"
      trigger={
        <Button icon={<Pause aria-hidden="true" />}>
          Pause
          <ChevronDown aria-hidden="true" />
        </Button>
      }
    >
      {PAUSES.map(({ words, ms }) => (
        <MenuItem key={words} onSelect={() => pause(ms)}>
          {words}
        </MenuItem>
      ))}
    </Menu>
  )
}
