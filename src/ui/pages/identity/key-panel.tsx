import { Download, RotateCw } from 'lucide-react'
import { useState } from 'react'
import type { IdentityApi, SuccessionInfo } from '../../../node/identity-contract.ts'
import { peerName } from '../../format/peer-name.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/controls.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Panel } from '../../parts/panel.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { act, say } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { saveBytes } from '../job/downloads.ts'
import { useChange, useIdentity } from './identity-context.ts'
import { askPasskey } from './passkey.ts'
import { BackupFileForm } from './secret-form.tsx'

const REASONS = {
  planned: 'Just to be careful; the old key counts for another week',
  lost: 'A device or backup is missing; the old key counts for another day',
  compromised: 'Somebody else may have the key; it stops to count at once',
} as const satisfies Record<SuccessionInfo['reason'], string>

/** The key in force, what came before it, and replacing it. */
export function KeyPanel() {
  const node = useNode()
  const { info } = useIdentity()
  const usable = info.state === 'provisional' || info.state === 'protected' || info.state === 'rotating'
  const save = (): void =>
    act('Exporting', async () => {
      saveBytes(`starling-${peerName(info.rootId).replaceAll(' ', '-')}-public.cbor`, await node.exportIdentity())
      say('The public part was saved', 'Root id, certificates and successions; anyone can check them.')
    })
  return (
    <Panel
      title="Key"
      actions={
        <Button icon={<Download aria-hidden="true" />} onClick={save}>
          Export the public part
        </Button>
      }
    >
      <div className="stack">
        <dl className="identity-facts">
          <div>
            <dt className="quiet small">Identity</dt>
            <dd className="mono small">{info.rootId}</dd>
          </div>
          <div>
            <dt className="quiet small">Key in force</dt>
            <dd className="mono small">{info.activeKey === info.rootId ? 'the first one' : info.activeKey}</dd>
          </div>
        </dl>
        {info.successions.length === 0 ? null : (
          <ol className="identity-list">
            {info.successions.map((succession) => (
              <li key={`${succession.seq} ${succession.newKey}`} className="identity-row small">
                <span className="grow">
                  Replaced <RelativeTime at={succession.notBefore} /> ({succession.reason})
                </span>
                <span className="quiet">
                  old key ends <RelativeTime at={succession.graceEndsAt} />
                </span>
              </li>
            ))}
          </ol>
        )}
        {usable ? <Rotate /> : null}
      </div>
    </Panel>
  )
}

type Unlock = Parameters<IdentityApi['rotateIdentity']>[0]['unlock']

function Rotate() {
  const node = useNode()
  const { info, set } = useIdentity()
  const change = useChange()
  const [reason, setReason] = useState<SuccessionInfo['reason']>('planned')
  const rotate = (unlock: Unlock) => node.rotateIdentity({ reason, unlock })
  const done = 'The key was replaced; make new backups'
  const hasPasskey = info.unlockers.some(({ kind }) => kind === 'passkey')
  return (
    <details>
      <summary>Replace the key</summary>
      <div className="stack identity-form">
        <p className="small quiet">
          You stay the same identity, with your reputation and devices. Backups made before open the old key only: new
          ones are needed.
        </p>
        <Field label="Why" note={REASONS[reason]}>
          {(ids) => (
            // The values of the options are those of the contract.
            <select
              {...ids}
              className="input"
              value={reason}
              onChange={(event) => setReason(event.target.value as SuccessionInfo['reason'])}
            >
              <option value="planned">Planned</option>
              <option value="lost">Something is lost</option>
              <option value="compromised">Somebody has it</option>
            </select>
          )}
        </Field>
        {info.state === 'protected' ? (
          <>
            <BackupFileForm
              label="Replace the key with the backup file"
              action="Replace the key"
              busyAction="Replacing it"
              onFile={async (file, passphrase) => {
                set(await rotate({ file, passphrase }))
                say(done)
              }}
            />
            {hasPasskey ? (
              <div className="row">
                <Button onClick={() => change('Replacing the key', done, async () => rotate(await askPasskey()))}>
                  Replace it with the passkey
                </Button>
              </div>
            ) : null}
          </>
        ) : (
          <div className="row">
            <Confirm
              trigger={<Button icon={<RotateCw aria-hidden="true" />}>Replace the key</Button>}
              title="Replace the key?"
              action="Replace it"
              onConfirm={() => change('Replacing the key', done, () => rotate(null))}
            >
              Backups and passkeys made so far open the old key only. Make new ones afterwards.
            </Confirm>
          </div>
        )}
      </div>
    </details>
  )
}
