import { Ban, Cpu, Hand } from 'lucide-react'
import { Link } from 'wouter'
import { plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { act } from '../../parts/toasts.tsx'
import { useSession, useSnapshot } from '../../state/node-context.ts'
import { AdmissionPanel, PolicyLine } from './admission-panel.tsx'

/** The first visit: what this tab will do, what it will not, how to stop, and one button. */
export function Welcome() {
  const session = useSession()
  const workers = useSnapshot(({ lending }) => lending.settings.workers, 1)
  const workersMax = useSnapshot(({ lending }) => lending.workersMax, 1)
  const start = (): void =>
    act('Starting to lend', async () => {
      await session.api.setLending({ optedIn: true })
      await session.refresh()
    })
  return (
    <article className="welcome">
      <h1>Lend this tab to a room of browsers</h1>
      <p className="quiet">
        Together, the tabs that open this link do one big piece of work. No account, nothing to install, and nothing
        runs before you agree.
      </p>
      <dl className="welcome-points">
        <div>
          <dt>
            <Cpu aria-hidden="true" />
            What it will do
          </dt>
          <dd>
            Run small programs that others send, on {workers} of your {plural(workersMax, 'core')}, while this tab is
            open. You choose how many.
          </dd>
        </div>
        <div>
          <dt>
            <Ban aria-hidden="true" />
            What it will not
          </dt>
          <dd>
            Programs run in a sealed box: no files, no network, no camera, no other tabs, no keys. It rests on battery
            and on metered connections.
          </dd>
        </div>
        <div>
          <dt>
            <Hand aria-hidden="true" />
            How to stop
          </dt>
          <dd>Press Pause, on every page, or close the tab. Unfinished work goes to somebody else.</dd>
        </div>
      </dl>
      <PolicyLine />
      <AdmissionPanel />
      <div className="row row-wrap">
        <Button look="primary" className="welcome-button" onClick={start}>
          Start lending
        </Button>
        <span className="quiet small">
          Other peers see your network address, as on any call between browsers. Only have work to give?{' '}
          <Link href="/run">Run a job</Link>
        </span>
      </div>
    </article>
  )
}
