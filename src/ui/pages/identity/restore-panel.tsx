import { useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Panel } from '../../parts/panel.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { say } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { useChange, useIdentity } from './identity-context.ts'
import { askPasskey, passkeysPossible } from './passkey.ts'
import { BackupFileForm, FileField } from './secret-form.tsx'

/** Bringing an identity here from elsewhere. */
export function RestorePanel() {
  const node = useNode()
  const { info, set } = useIdentity()
  const fromFile = async (file: Uint8Array, passphrase: string): Promise<void> => {
    set(await node.restoreFromBackup(file, passphrase))
    say('The identity was restored')
  }
  const open = info.state === 'lost' || info.state === 'superseded' || info.state === 'conflicted'
  return (
    <Panel title="Restore">
      <div className="stack">
        <p className="quiet small">
          From another machine, or after this browser cleared its data. It takes the place of the identity that is here
          now. One without a backup cannot be brought back.
        </p>
        <details open={open}>
          <summary>With a backup file</summary>
          <BackupFileForm
            label="Restore with a backup file"
            action="Restore"
            busyAction="Restoring"
            onFile={fromFile}
          />
        </details>
        {passkeysPossible() ? (
          <details>
            <summary>With a passkey</summary>
            <PasskeyRestore />
          </details>
        ) : null}
      </div>
    </Panel>
  )
}

function PasskeyRestore() {
  const node = useNode()
  const change = useChange()
  const [file, setFile] = useState<File | null>(null)
  const restore = (): void =>
    change('Restoring', 'The identity was restored', async () => {
      const content = file === null ? null : new Uint8Array(await file.arrayBuffer())
      return node.restoreFromPasskey(await askPasskey(), content)
    })
  return (
    <div className="stack identity-form">
      <FileField
        label="The passkey’s file, or a backup file"
        note="Not needed where this browser only lost the key"
        onFile={setFile}
      />
      <div className="row">
        <Button look="primary" onClick={restore}>
          Use the passkey
        </Button>
      </div>
    </div>
  )
}

/** The end of an identity. */
export function RevokePanel() {
  const node = useNode()
  const change = useChange()
  const { info } = useIdentity()
  if (info.state === 'revoked') return null
  const revoke = (): void => change('Revoking', 'The identity was revoked', () => node.revokeIdentity())
  return (
    <Panel title="Revoke">
      <div className="stack">
        <p className="quiet small">
          For when the key is in others’ hands and cannot be replaced.
          {info.revocation === null ? null : (
            <>
              {' '}
              The revocation was signed <RelativeTime at={info.revocation.signedAt} /> and waits here, so that it works
              without the key too.
            </>
          )}
        </p>
        <div className="row">
          <Confirm
            trigger={<Button look="danger">Revoke the identity</Button>}
            title="Revoke this identity for good?"
            action="Revoke it"
            onConfirm={revoke}
          >
            Everyone who hears of it refuses this identity from then on, with its reputation and all its devices. It
            cannot be taken back.
          </Confirm>
        </div>
      </div>
    </Panel>
  )
}
