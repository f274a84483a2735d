import { Link } from 'wouter'
import { count, duration, money, percentOf, plural, rate } from '../../format/number.ts'
import { lendingSentence } from '../../format/reasons.ts'
import { PauseButton } from '../../frame/pause-button.tsx'
import { Figure, Figures } from '../../parts/panel.tsx'
import { useSnapshot } from '../../state/node-context.ts'
import { AdmissionPanel, PolicyLine } from './admission-panel.tsx'
import { IdentityNag } from './identity-nag.tsx'
import { Invite } from './invite.tsx'
import { LendingControls } from './lending-controls.tsx'
import { MeshPanel } from './mesh-panel.tsx'
import { NowPanel } from './now-panel.tsx'
import { Welcome } from './welcome.tsx'
import './home.css'

/** For somebody who lends a tab: am I useful, does it hurt, how do I stop. */
export function Home() {
  const agreed = useSnapshot(({ lending }) => lending.settings.optedIn, false)
  if (!agreed) return <Welcome />
  return (
    <div className="stack home">
      <Headline />
      <AdmissionPanel />
      <HomeFigures />
      <div className="home-halves">
        <MeshPanel />
        <NowPanel />
      </div>
      <div className="home-halves">
        <LendingControls />
        <Invite />
      </div>
      <PolicyLine />
    </div>
  )
}

function Headline() {
  const sentence = useSnapshot(({ lending }) => lendingSentence(lending).text, '')
  const jobs = useSnapshot(({ jobs }) => jobs.filter((job) => job.state === 'running').length, 0)
  return (
    <header className="page-head home-head">
      <div className="grow">
        <h1>{sentence}</h1>
        <p className="quiet small">
          {jobs === 0 ? (
            <Link href="/run">Run something of your own</Link>
          ) : (
            <Link href="/jobs">{plural(jobs, 'job of yours is', 'jobs of yours are')} running</Link>
          )}
        </p>
        <IdentityNag />
      </div>
      <PauseButton />
    </header>
  )
}

function HomeFigures() {
  const network = useSnapshot((snapshot) => snapshot.network, null)
  const lending = useSnapshot((snapshot) => snapshot.lending, null)
  if (network === null || lending === null) return null
  const { unitsDone, unitsDelivered, unitsFailed, earningMicroPerSecond, earnedMicro, lentMs } = lending
  const failed = unitsFailed === 0 ? '' : ` · ${count(unitsFailed)} failed`
  return (
    <Figures>
      <Figure
        label="Peers"
        value={count(network.peers)}
        note={`${network.direct} direct · ${network.relayed} relayed`}
      />
      <Figure
        label="Units done"
        value={count(unitsDone)}
        note={unitsDone === 0 ? 'none yet' : `${percentOf(unitsDelivered, unitsDone)} delivered${failed}`}
      />
      <Figure
        label="Earning now"
        value={rate(earningMicroPerSecond, 'µ')}
        note={`${money(earnedMicro)} so far`}
        title="From signed receipts, in micro-units; nobody pays them out yet"
      />
      <Figure label="Time lent" value={duration(lentMs)} note="of computing" />
    </Figures>
  )
}
