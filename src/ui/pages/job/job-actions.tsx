import { ChevronDown, Download, Pause, Play, Trash2, X } from 'lucide-react'
import type { RefObject } from 'react'
import { useLocation } from 'wouter'
import type { JobSummary } from '../../../node/contract.ts'
import { count, plural } from '../../format/number.ts'
import { isFinished } from '../../format/states.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Menu, MenuItem } from '../../parts/menu.tsx'
import { act, say } from '../../parts/toasts.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { useNode } from '../../state/node-context.ts'
import {
  CAN_SAVE_FOLDERS,
  savePicture,
  saveReceipts,
  saveResultsAsJsonLines,
  saveResultsToFolder,
} from './downloads.ts'

interface JobActionsProps {
  readonly watch: JobWatch
  readonly job: JobSummary
  readonly picture: RefObject<HTMLCanvasElement | null>
}

export function JobActions({ watch, job, picture }: JobActionsProps) {
  const node = useNode()
  const [, navigate] = useLocation()
  const then = (what: string, action: () => Promise<void>): void =>
    act(what, async () => {
      await action()
      watch.refresh()
    })
  const remove = (): void =>
    act('Removing the job', async () => {
      await node.removeJob(job.jobId)
      say(`Removed “${job.name}”`)
      navigate('/jobs')
    })
  const left = job.counts.units - job.counts.accepted
  return (
    <div className="row row-wrap job-actions">
      <DownloadMenu job={job} picture={picture} />
      {job.state === 'running' ? (
        <Button
          icon={<Pause aria-hidden="true" />}
          onClick={() => then('Pausing the job', () => node.pauseJob(job.jobId))}
        >
          Pause job
        </Button>
      ) : null}
      {job.state === 'paused' ? (
        <Button
          look="primary"
          icon={<Play aria-hidden="true" />}
          onClick={() => then('Resuming the job', () => node.resumeJob(job.jobId))}
        >
          Resume job
        </Button>
      ) : null}
      {isFinished(job) ? (
        <Confirm
          trigger={<Button icon={<Trash2 aria-hidden="true" />}>Remove</Button>}
          title={`Remove “${job.name}”?`}
          action="Remove"
          onConfirm={remove}
        >
          Its {plural(job.counts.accepted, 'result')} and their receipts are deleted from this device. Download them
          first if you need them: this cannot be undone.
        </Confirm>
      ) : (
        <Confirm
          trigger={<Button icon={<X aria-hidden="true" />}>Cancel job</Button>}
          title={`Cancel “${job.name}”?`}
          action="Cancel the job"
          onConfirm={() => then('Cancelling the job', () => node.cancelJob(job.jobId))}
        >
          The {plural(left, 'unit')} left will not be computed. The {count(job.counts.accepted)} accepted results stay
          here with their receipts. A cancelled job cannot be continued.
        </Confirm>
      )}
    </div>
  )
}

function DownloadMenu({ job, picture }: Omit<JobActionsProps, 'watch'>) {
  const node = useNode()
  const save = (what: string, action: () => Promise<unknown>): void => act(`Saving ${what}`, action)
  const empty = job.counts.accepted === 0
  return (
    <Menu
      label="Download"
      trigger={
        <Button icon={<Download aria-hidden="true" />}>
          Download
          <ChevronDown aria-hidden="true" />
        </Button>
      }
    >
      {job.view.kind === 'tiles' ? (
        <MenuItem
          disabled={empty}
          onSelect={() =>
            save('the picture', async () => {
              if (picture.current !== null) await savePicture(picture.current, job.name)
            })
          }
        >
          Picture (PNG)
        </MenuItem>
      ) : null}
      <MenuItem
        disabled={empty}
        onSelect={() => save('the results', () => saveResultsAsJsonLines(node, job.jobId, job.name))}
      >
        Results (JSON lines)
      </MenuItem>
      {CAN_SAVE_FOLDERS ? (
        <MenuItem
          disabled={empty}
          onSelect={() =>
            save('the results', async () =>
              say(`Saved ${plural(await saveResultsToFolder(node, job.jobId), 'result')}`),
            )
          }
        >
          Results (files in a folder)
        </MenuItem>
      ) : null}
      <MenuItem disabled={empty} onSelect={() => save('the receipts', () => saveReceipts(node, job.jobId, job.name))}>
        Signed receipts (CBOR)
      </MenuItem>
    </Menu>
  )
}
