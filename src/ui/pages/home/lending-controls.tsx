import type { LendingSettings } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Range, Toggle } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { act } from '../../parts/toasts.tsx'
import { useSession, useSnapshot } from '../../state/node-context.ts'
import { PLATFORM_SUPPORT } from '../../state/platform-support.ts'

const SHARE_MIN = 10
const SHARE_MAX = 100
const SHARE_STEP = 10

/** How much of this device is lent, and when not. Kept over restarts. */
export function LendingControls() {
  const session = useSession()
  const settings = useSnapshot(({ lending }) => lending.settings, null)
  const workersMax = useSnapshot(({ lending }) => lending.workersMax, 1)
  if (settings === null) return null
  const set = (change: Partial<LendingSettings>): void =>
    act('Changing what is lent', async () => {
      await session.api.setLending(change)
      await session.refresh()
    })
  return (
    <Panel
      title="What you lend"
      actions={
        <Button look="quiet" onClick={() => set({ optedIn: false })}>
          Stop lending
        </Button>
      }
    >
      <div className="lending">
        <Range
          label="Cores"
          value={settings.workers}
          min={1}
          max={Math.max(1, workersMax)}
          words={(value) => `${value} of ${plural(workersMax, 'core')}`}
          onChange={(workers) => set({ workers })}
        />
        <Range
          label="Share of a core"
          value={Math.round(settings.cpuShare * 100)}
          min={SHARE_MIN}
          max={SHARE_MAX}
          step={SHARE_STEP}
          words={(value) => (value === SHARE_MAX ? 'all of it' : `${value} %`)}
          onChange={(share) => set({ cpuShare: share / 100 })}
        />
        <Toggle
          label="Pause on battery"
          {...(PLATFORM_SUPPORT.battery ? {} : { note: 'This browser does not tell pages about the battery' })}
          checked={settings.pauseOnBattery}
          disabled={!PLATFORM_SUPPORT.battery}
          onChange={(pauseOnBattery) => set({ pauseOnBattery })}
        />
        <Toggle
          label="Pause when metered"
          {...(PLATFORM_SUPPORT.metered ? {} : { note: 'This browser does not tell pages about the connection' })}
          checked={settings.pauseOnMetered}
          disabled={!PLATFORM_SUPPORT.metered}
          onChange={(pauseOnMetered) => set({ pauseOnMetered })}
        />
      </div>
    </Panel>
  )
}
