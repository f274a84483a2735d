import { FlaskConical } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { DryRun, JobOptions, JobSpec } from '../../../node/contract.ts'
import { bytes, duration, gas, money } from '../../format/number.ts'
import { endWords, preview } from '../../format/output.ts'
import { PREVIEW_CHARACTERS_MAX } from '../../limits.ts'
import { Button } from '../../parts/button.tsx'
import { Notice, Panel } from '../../parts/panel.tsx'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import { Fact } from '../job/receipt-card.tsx'
import { estimate } from './estimate.ts'
import '../job/unit-sheet.css'

interface DryRunPanelProps {
  readonly spec: JobSpec | null
  readonly options: JobOptions
}

type Trial =
  | { readonly phase: 'none' | 'running' }
  | { readonly phase: 'done'; readonly unit: number; readonly dry: DryRun }
  | { readonly phase: 'failed'; readonly error: string }

/** Runs one unit here, in the sandbox, before anybody else gets any. */
export function DryRunPanel({ spec, options }: DryRunPanelProps) {
  const node = useNode()
  const [trial, setTrial] = useState<Trial>({ phase: 'none' })
  const [unitText, setUnitText] = useState<string | null>(null)
  useEffect(() => {
    if (spec !== null) setTrial({ phase: 'none' })
  }, [spec])
  const units = spec?.inputs.length ?? 0
  // A unit in the middle says more than the first: pictures begin with empty corners.
  const unit = Math.min(Math.max(0, Number(unitText ?? Math.floor(units / 2)) || 0), Math.max(0, units - 1))
  const run = async (): Promise<void> => {
    if (spec === null) return
    setTrial({ phase: 'running' })
    try {
      setTrial({ phase: 'done', unit, dry: await node.dryRun(spec, unit) })
    } catch (error) {
      setTrial({ phase: 'failed', error: errorText(error) })
    }
  }
  return (
    <Panel title="Dry run" note="one unit, on this device">
      <div className="stack dry-run">
        <div className="row">
          <label htmlFor="dry-run-unit">Unit</label>
          <input
            id="dry-run-unit"
            className="input dry-run-unit"
            inputMode="numeric"
            value={unitText ?? unit}
            onChange={(event) => setUnitText(event.target.value)}
          />
          <Button
            icon={<FlaskConical aria-hidden="true" />}
            disabled={spec === null || trial.phase === 'running'}
            onClick={() => void run()}
          >
            {trial.phase === 'running' ? 'Running' : 'Try one unit'}
          </Button>
        </div>
        <div aria-live="polite" className="stack">
          {trial.phase === 'none' ? (
            <p className="quiet small">
              Shows the output, time, memory and gas of one unit, and from it how long the whole will take.
            </p>
          ) : null}
          {trial.phase === 'failed' ? (
            <Notice tone="error" title="The unit could not run">
              {trial.error}. Nothing was given out.
            </Notice>
          ) : null}
          {trial.phase === 'done' && spec !== null ? <Outcome dry={trial.dry} spec={spec} options={options} /> : null}
        </div>
      </div>
    </Panel>
  )
}

interface OutcomeProps {
  readonly dry: DryRun
  readonly spec: JobSpec
  readonly options: JobOptions
}

function Outcome({ dry, spec, options }: OutcomeProps) {
  const peers = useSnapshot((snapshot) => snapshot.network.peers, 0)
  const ownWorkers = useSnapshot((snapshot) => snapshot.lending.settings.workers, 1)
  const { outcome } = dry
  const whole = estimate(dry, { units: spec.inputs.length, options, peers, ownWorkers })
  return (
    <>
      <OutputPreview dry={dry} spec={spec} />
      <dl className="facts small">
        <Fact term="Ended">{endWords(outcome)}</Fact>
        <Fact term="Time">{duration(dry.durationMs)}</Fact>
        <Fact term="Memory">{bytes(dry.memoryBytesPeak)}</Fact>
        <Fact term="Work">{gas(dry.gas)}</Fact>
        <Fact term="Output">
          {bytes(outcome.stdout.length + outcome.files.reduce((sum, file) => sum + file.content.length, 0))}
        </Fact>
        <Fact term="Getting the program ready">{duration(dry.prepareMs)}</Fact>
      </dl>
      <p>
        The whole: <strong>{duration(whole.wallMs)}</strong> on {whole.coresWords}, {duration(whole.computeMs)} of
        computing
        {options.replicas > 1 ? `, ${options.replicas} runs of each unit counted` : ''},{' '}
        {whole.costMicro === 0 ? 'free' : `about ${money(whole.costMicro)}`}.
      </p>
    </>
  )
}

function OutputPreview({ dry, spec }: { readonly dry: DryRun; readonly spec: JobSpec }) {
  const { outcome } = dry
  const canvas = useRef<HTMLCanvasElement>(null)
  const { view } = spec
  const pixels = view.kind === 'tiles' ? view.tileWidth * view.tileHeight * 4 : -1
  const tile = outcome.stdout.length === pixels
  useEffect(() => {
    if (!tile || view.kind !== 'tiles' || canvas.current === null) return
    const image = new ImageData(new Uint8ClampedArray(outcome.stdout), view.tileWidth, view.tileHeight)
    canvas.current.getContext('2d')?.putImageData(image, 0, 0)
  }, [tile, outcome, view])
  if (tile && view.kind === 'tiles') {
    return (
      <canvas
        ref={canvas}
        className="dry-run-tile"
        width={view.tileWidth}
        height={view.tileHeight}
        role="img"
        aria-label="The tile this unit drew"
      />
    )
  }
  return (
    <>
      {outcome.stdout.length > 0 ? (
        <pre className="bytes">{preview(outcome.stdout, 10 * PREVIEW_CHARACTERS_MAX)}</pre>
      ) : null}
      {outcome.stderr.length > 0 ? (
        <pre className="bytes">{preview(outcome.stderr, 10 * PREVIEW_CHARACTERS_MAX)}</pre>
      ) : null}
      {outcome.files.map((file) => (
        <p key={file.path} className="mono small">
          /out/{file.path} ({bytes(file.content.length)})
        </p>
      ))}
    </>
  )
}
