import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import type { NetworkCheckStep } from '../../../node/contract.ts'
import { duration } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { act } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'

const MARKS = {
  ok: { icon: CircleCheck, word: 'Good' },
  warning: { icon: TriangleAlert, word: 'Look' },
  failed: { icon: CircleX, word: 'Failed' },
} as const

/** Asks the network one question after the other and says what to do about the answers. */
export function NetworkCheck() {
  const node = useNode()
  const [steps, setSteps] = useState<readonly NetworkCheckStep[] | null>(null)
  const [running, setRunning] = useState(false)
  const run = (): void => {
    setRunning(true)
    act('The network check', async () => {
      try {
        setSteps(await node.networkCheck())
      } finally {
        setRunning(false)
      }
    })
  }
  return (
    <Panel
      title="Network check"
      actions={
        <Button look={steps === null ? 'primary' : 'plain'} disabled={running} onClick={run}>
          {running ? 'Checking' : steps === null ? 'Check the network' : 'Check again'}
        </Button>
      }
    >
      <div aria-live="polite" aria-busy={running}>
        {steps === null ? (
          <p className="quiet small">
            Tries the relay, direct connections, the connection budget, storage and the clock, and says what helps.
          </p>
        ) : (
          <ul className="check">
            {steps.map((step) => (
              <CheckRow key={step.name} step={step} />
            ))}
          </ul>
        )}
      </div>
    </Panel>
  )
}

function CheckRow({ step }: { readonly step: NetworkCheckStep }) {
  const { icon: Icon, word } = MARKS[step.state]
  return (
    <li className="check-row">
      <Icon className={`check-${step.state}`} aria-hidden="true" />
      <div className="grow">
        <p>
          <strong>{step.name}</strong> <span className="quiet small">{word}</span>
        </p>
        <p className="small">{step.detail}</p>
        {step.advice === null ? null : <p className="quiet small">{step.advice}</p>}
      </div>
      <span className="quiet small">{duration(step.durationMs)}</span>
    </li>
  )
}
