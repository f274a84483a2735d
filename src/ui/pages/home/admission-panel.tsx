import type { MiningInfo } from '../../../node/admission-contract.ts'
import { admissionReason, etaWords, GUEST_WORDS, miningWords, policyWords } from '../../format/admission.ts'
import { percent } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { act } from '../../parts/toasts.tsx'
import { useSession, useSnapshot } from '../../state/node-context.ts'
import './admission-panel.css'

const TITLES = {
  guest: 'Here as a guest',
  mining: 'Working to be let in',
  refused: 'Not let in',
  admitted: 'Let in',
} as const

/** While this tab is a guest, or works for its next ticket: why, how far, and what can be done. */
export function AdmissionPanel() {
  const info = useSnapshot(({ admission }) => admission, null)
  if (info === null || (info.state === 'admitted' && info.mining === null)) return null
  const admitted = info.state === 'admitted'
  return (
    <Panel title={TITLES[info.state]} className="admission" note={info.policy?.name}>
      <p>{admitted ? 'The next ticket is being made while this one is good.' : admissionReason(info)}</p>
      {info.mining === null ? null : <Mining mining={info.mining} />}
      {admitted ? null : <p className="quiet small">{GUEST_WORDS}</p>}
      {info.reason?.code === 'needs-work' || info.mining !== null ? <MiningButtons mining={info.mining} /> : null}
    </Panel>
  )
}

function Mining({ mining }: { readonly mining: MiningInfo }) {
  const share = Math.min(1, mining.hashes / mining.hashesExpected)
  return (
    <div className="stack admission-mining">
      <svg
        className="admission-bar"
        viewBox="0 0 1000 8"
        preserveAspectRatio="none"
        width="100%"
        height="8"
        role="progressbar"
        aria-label="Work done of what is needed on average"
        aria-valuemin={0}
        aria-valuemax={mining.hashesExpected}
        aria-valuenow={Math.min(mining.hashes, mining.hashesExpected)}
        aria-valuetext={percent(share)}
      >
        <rect width={share * 1000} height="8" />
      </svg>
      <p className="small admission-figures">{miningWords(mining)}</p>
      <p className="quiet small admission-figures">{etaWords(mining)}</p>
    </div>
  )
}

function MiningButtons({ mining }: { readonly mining: MiningInfo | null }) {
  const session = useSession()
  const running = mining?.state === 'running'
  const toggle = (): void =>
    act(running ? 'Pausing' : 'Starting to work', async () => {
      await (running ? session.api.pauseMining() : session.api.startMining())
      await session.refresh()
    })
  const words = running ? 'Pause the work' : mining === null ? 'Work to be let in' : 'Resume the work'
  return (
    <div className="row row-wrap">
      <Button onClick={toggle}>{words}</Button>
      <span className="quiet small">Uses the cores that this tab lends, for well under a minute on most machines.</span>
    </div>
  )
}

/** What holds in this network, for whoever joins. */
export function PolicyLine() {
  const policy = useSnapshot(({ admission }) => admission.policy, null)
  return <p className="quiet small policy-line">{policy === null ? ' ' : policyWords(policy)}</p>
}
