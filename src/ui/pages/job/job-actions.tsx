import { ChevronDown, Download, Pause, Play, Trash2, X } from 'lucide-react'
import type { RefObject } from 'react'
import { useLocation } from 'wouter'
import { count, plural } from '../../format/number.ts'
import { isFinished } from '../../format/states.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Menu, MenuItem } from '../../parts/menu.tsx'
import { act, say } from '../../parts/toasts.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { useNode } from '../../state/node-context.ts'
import { shallowEqual, useStore } from '../../state/store.ts'
import {
  CAN_SAVE_FOLDERS,
  savePicture,
  saveReceipts,
  saveResultsAsJsonLines,
  saveResultsToFolder,
} from './downloads.ts'

interface JobActionsProps {
  readonly watch: JobWatch
  readonly jobId: string
  readonly name: string
  readonly picture: RefObject<HTMLCanvasElement | null>
}

export function JobActions({ watch, jobId, name, picture }: JobActionsProps) {
  const node = useNode()
  const state = useStore(watch.view, ({ summary }) => summary?.state ?? 'running')
  const [, navigate] = useLocation()
  const then = (what: string, action: () => Promise<void>): void =>
    act(what, async () => {
      await action()
      watch.refresh()
    })
  const remove = (): void =>
    act('Removing the job', async () => {
      await node.removeJob(jobId)
      say(`Removed “${name}”`)
      navigate('/jobs')
    })
  return (
    <div className="row row-wrap job-actions">
      <DownloadMenu watch={watch} jobId={jobId} name={name} picture={picture} />
      {state === 'running' ? (
        <Button icon={<Pause aria-hidden="true" />} onClick={() => then('Pausing the job', () => node.pauseJob(jobId))}>
          Pause job
        </Button>
      ) : null}
      {state === 'paused' ? (
        <Button
          look="primary"
          icon={<Play aria-hidden="true" />}
          onClick={() => then('Resuming the job', () => node.resumeJob(jobId))}
        >
          Resume job
        </Button>
      ) : null}
      {isFinished({ state }) ? (
        <Confirm
          trigger={<Button icon={<Trash2 aria-hidden="true" />}>Remove</Button>}
          title={`Remove “${name}”?`}
          action="Remove"
          onConfirm={remove}
        >
          <RemoveWords watch={watch} />
        </Confirm>
      ) : (
        <Confirm
          trigger={<Button icon={<X aria-hidden="true" />}>Cancel job</Button>}
          title={`Cancel “${name}”?`}
          action="Cancel the job"
          onConfirm={() => then('Cancelling the job', () => node.cancelJob(jobId))}
        >
          <CancelWords watch={watch} />
        </Confirm>
      )}
    </div>
  )
}

function RemoveWords({ watch }: { readonly watch: JobWatch }) {
  const accepted = useStore(watch.view, ({ summary }) => summary?.counts.accepted ?? 0)
  return (
    <>
      Its {plural(accepted, 'result')} and their receipts are deleted from this device. Download them first if you need
      them: this cannot be undone.
    </>
  )
}

function CancelWords({ watch }: { readonly watch: JobWatch }) {
  const { accepted, left } = useStore(
    watch.view,
    ({ summary }) => ({
      accepted: summary?.counts.accepted ?? 0,
      left: (summary?.counts.units ?? 0) - (summary?.counts.accepted ?? 0),
    }),
    shallowEqual,
  )
  return (
    <>
      The {plural(left, 'unit')} left will not be computed. The {count(accepted)} accepted results stay here with their
      receipts. A cancelled job cannot be continued.
    </>
  )
}

function DownloadMenu({ watch, jobId, name, picture }: JobActionsProps) {
  const node = useNode()
  const save = (what: string, action: () => Promise<unknown>): void => act(`Saving ${what}`, action)
  const empty = useStore(watch.view, ({ summary }) => (summary?.counts.accepted ?? 0) === 0)
  const tiles = useStore(watch.view, ({ summary }) => summary?.view.kind === 'tiles')
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
      {tiles ? (
        <MenuItem
          disabled={empty}
          onSelect={() =>
            save('the picture', async () => {
              if (picture.current !== null) await savePicture(picture.current, name)
            })
          }
        >
          Picture (PNG)
        </MenuItem>
      ) : null}
      <MenuItem disabled={empty} onSelect={() => save('the results', () => saveResultsAsJsonLines(node, jobId, name))}>
        Results (JSON lines)
      </MenuItem>
      {CAN_SAVE_FOLDERS ? (
        <MenuItem
          disabled={empty}
          onSelect={() =>
            save('the results', async () => say(`Saved ${plural(await saveResultsToFolder(node, jobId), 'result')}`))
          }
        >
          Results (files in a folder)
        </MenuItem>
      ) : null}
      <MenuItem disabled={empty} onSelect={() => save('the receipts', () => saveReceipts(node, jobId, name))}>
        Signed receipts (CBOR)
      </MenuItem>
    </Menu>
  )
}
