import { useCallback, useEffect, useState } from 'react'
import type { UnitInput, UnitOutcome } from '../../../core/tasks/unit.ts'
import type { JobDetail, UnitDetail } from '../../../node/contract.ts'
import { bytes, plural } from '../../format/number.ts'
import { endWords, preview } from '../../format/output.ts'
import { UNIT_STATE_WORDS } from '../../format/states.ts'
import { OUTPUT_CHARACTERS_MAX } from '../../limits.ts'
import { Button } from '../../parts/button.tsx'
import { Sheet } from '../../parts/dialog.tsx'
import { Notice, Skeleton } from '../../parts/panel.tsx'
import { UnitStateMark } from '../../parts/state-mark.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { useNode } from '../../state/node-context.ts'
import { saveBytes } from './downloads.ts'
import { ReceiptCard } from './receipt-card.tsx'
import './unit-sheet.css'

interface UnitSheetProps {
  readonly watch: JobWatch
  readonly job: JobDetail
  readonly unit: number | null
  readonly onClose: () => void
}

/** One unit: what it read, what came out, and every receipt for it. */
export function UnitSheet({ watch, job, unit, onClose }: UnitSheetProps) {
  return (
    <Sheet open={unit !== null} onClose={onClose} title={unit === null ? 'Unit' : `Unit ${unit}`}>
      {unit === null ? null : <UnitBody key={unit} watch={watch} job={job} unit={unit} />}
    </Sheet>
  )
}

function UnitBody({ watch, job, unit }: { readonly watch: JobWatch; readonly job: JobDetail; readonly unit: number }) {
  const node = useNode()
  const [detail, setDetail] = useState<UnitDetail | null | undefined>(undefined)
  const read = useCallback(
    () => void node.unit(job.jobId, unit).then(setDetail, () => setDetail(null)),
    [node, job.jobId, unit],
  )
  useEffect(() => {
    read()
    return watch.onGrid((_, changed) => {
      if (changed?.includes(unit)) read()
    })
  }, [watch, unit, read])

  if (detail === undefined) return <Skeleton lines={10} />
  if (detail === null) return <Notice tone="warning" title="The node knows no such unit" />
  const { state, input, outcome, receipts, audited, conflicts } = detail
  return (
    <div className="stack stack-wide">
      <div className="stack stack-tight">
        <UnitStateMark state={state} />
        <p className="quiet small">
          {UNIT_STATE_WORDS[state].meaning}
          {audited ? '; recomputed here' : ''}
        </p>
      </div>
      {conflicts > 0 ? (
        <Notice
          tone="error"
          title={`${plural(conflicts, 'receipt contradicts', 'receipts contradict')} the accepted result`}
        >
          The signed receipts are kept as evidence and their executors get no more units of this job.
        </Notice>
      ) : null}
      <InputPart input={input} />
      {outcome === null ? null : <OutcomePart outcome={outcome} unit={unit} />}
      <section className="stack" aria-label="Receipts">
        <h3>{receipts.length === 0 ? 'No receipts yet' : plural(receipts.length, 'receipt')}</h3>
        {receipts.map((receipt) => (
          <ReceiptCard key={`${receipt.executor}/${receipt.startedAt}`} receipt={receipt} />
        ))}
      </section>
    </div>
  )
}

function InputPart({ input }: { readonly input: UnitInput }) {
  const { args, env, stdin, files } = input
  return (
    <section className="stack stack-tight" aria-label="Input">
      <h3>Input</h3>
      {args.length > 0 ? <pre className="bytes">{args.join(' ')}</pre> : null}
      {env.length > 0 ? <pre className="bytes">{env.map(([name, value]) => `${name}=${value}`).join('\n')}</pre> : null}
      {stdin.length > 0 ? <pre className="bytes">{preview(stdin, OUTPUT_CHARACTERS_MAX)}</pre> : null}
      {files.map((file) => (
        <p key={file.path} className="small mono">
          /in/{file.path} ({bytes(file.content.length)})
        </p>
      ))}
      {args.length + env.length + stdin.length + files.length === 0 ? <p className="quiet small">Nothing</p> : null}
    </section>
  )
}

function OutcomePart({ outcome, unit }: { readonly outcome: UnitOutcome; readonly unit: number }) {
  const { stdout, stderr, files } = outcome
  return (
    <section className="stack stack-tight" aria-label="Output">
      <div className="row spread">
        <h3>Output</h3>
        <span className="quiet small">{endWords(outcome)}</span>
      </div>
      {stdout.length > 0 ? (
        <>
          <pre className="bytes">{preview(stdout, OUTPUT_CHARACTERS_MAX)}</pre>
          <div className="row">
            <span className="quiet small grow">{bytes(stdout.length)}</span>
            <Button onClick={() => saveBytes(`unit-${unit}.bin`, stdout)}>Save output</Button>
          </div>
        </>
      ) : null}
      {stderr.length > 0 ? (
        <>
          <h3>Error output</h3>
          <pre className="bytes">{preview(stderr, OUTPUT_CHARACTERS_MAX)}</pre>
        </>
      ) : null}
      {files.map((file) => (
        <div key={file.path} className="row">
          <span className="mono small grow truncate">
            /out/{file.path} ({bytes(file.content.length)})
          </span>
          <Button onClick={() => saveBytes(file.path.split('/').at(-1) ?? 'file', file.content)}>Save</Button>
        </div>
      ))}
    </section>
  )
}
