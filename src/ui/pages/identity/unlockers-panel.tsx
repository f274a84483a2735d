import { FileKey, KeyRound, ShieldCheck } from 'lucide-react'
import type { UnlockerInfo } from '../../../node/identity-contract.ts'
import { peerName } from '../../format/peer-name.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Panel } from '../../parts/panel.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { act, say } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { saveBytes } from '../job/downloads.ts'
import { useChange, useIdentity } from './identity-context.ts'
import { askPasskey, createPasskey, passkeysPossible } from './passkey.ts'
import { BackupFileForm, NewPassphraseForm } from './secret-form.tsx'
import { UNLOCKER_WORDS } from './words.ts'

/** The ways to get the identity back: which there are, how to make more, and trying them. */
export function UnlockersPanel() {
  const { info } = useIdentity()
  const { unlockers, state } = info
  const open = state === 'provisional'
  return (
    <Panel title="Ways to get it back" note={`${unlockers.length} of at least 2`}>
      <div className="stack">
        {unlockers.length === 0 ? (
          <p className="quiet">None yet. A backup file and a passkey each bring this identity to another machine.</p>
        ) : (
          <ul className="identity-list">
            {unlockers.map((unlocker) => (
              <UnlockerRow key={unlocker.id} unlocker={unlocker} />
            ))}
          </ul>
        )}
        {open ? <MakeUnlockers /> : null}
        <TryUnlockers />
        {open && info.reason?.code === 'identity-unprotected' ? <Protect /> : null}
      </div>
    </Panel>
  )
}

function UnlockerRow({ unlocker }: { readonly unlocker: UnlockerInfo }) {
  const Icon = unlocker.kind === 'passkey' ? KeyRound : FileKey
  const kind = UNLOCKER_WORDS[unlocker.kind]
  return (
    <li className="identity-row">
      <Icon aria-hidden="true" className="identity-icon" />
      <div className="grow">
        <div className="truncate">{unlocker.label === '' ? kind : unlocker.label}</div>
        <div className="quiet small">
          {kind}, made <RelativeTime at={unlocker.createdAt} />
        </div>
      </div>
      <span className="small">
        {unlocker.provedAt === null ? (
          'Not tried yet'
        ) : (
          <>
            Tried <RelativeTime at={unlocker.provedAt} />
          </>
        )}
      </span>
    </li>
  )
}

function MakeUnlockers() {
  const node = useNode()
  const { info, reload } = useIdentity()
  const change = useChange()
  const name = peerName(info.rootId)
  const makeFile = async (passphrase: string): Promise<void> => {
    const file = await node.createBackup(passphrase)
    saveBytes(`${fileName(name)}.starling`, file)
    say('The backup file was saved', 'Keep it where this device is not, and its passphrase elsewhere.')
    reload()
  }
  const addPasskey = (): void =>
    change('Adding the passkey', 'The passkey was added', async () => node.addPasskey(await createPasskey(name)))
  return (
    <>
      <details>
        <summary>Make a backup file</summary>
        <NewPassphraseForm onPassphrase={makeFile} />
      </details>
      <div className="row row-wrap">
        <Button icon={<KeyRound aria-hidden="true" />} onClick={addPasskey} disabled={!passkeysPossible()}>
          Add a passkey
        </Button>
        {passkeysPossible() ? null : <span className="quiet small">Passkeys need https and a host name.</span>}
      </div>
    </>
  )
}

function TryUnlockers() {
  const node = useNode()
  const { info, set } = useIdentity()
  const change = useChange()
  const kinds = new Set(info.unlockers.map(({ kind }) => kind))
  const tryFile = async (file: Uint8Array, passphrase: string): Promise<void> => {
    set(await node.proveBackup(file, passphrase))
    say('The backup file opens')
  }
  const savePasskeyFile = (): void =>
    act('Saving the passkey’s file', async () => {
      saveBytes(`${fileName(peerName(info.rootId))}-passkey.starling`, await node.passkeyFile())
    })
  return (
    <>
      {kinds.has('file') ? (
        <details>
          <summary>Try the backup file</summary>
          <BackupFileForm label="Try the backup file" action="Try it" busyAction="Opening it" onFile={tryFile} />
        </details>
      ) : null}
      {kinds.has('passkey') ? (
        <div className="row row-wrap">
          <Button
            onClick={() =>
              change('Trying the passkey', 'The passkey opens the key', async () =>
                node.provePasskey(await askPasskey()),
              )
            }
          >
            Try the passkey
          </Button>
          <Button onClick={savePasskeyFile}>Save the passkey’s file</Button>
          <span className="quiet small">Not secret; another machine needs it beside the passkey.</span>
        </div>
      ) : null}
    </>
  )
}

function Protect() {
  const node = useNode()
  const change = useChange()
  return (
    <div className="row row-wrap">
      <Confirm
        trigger={
          <Button look="primary" icon={<ShieldCheck aria-hidden="true" />}>
            Protect the identity
          </Button>
        }
        title="Protect this identity?"
        action="Delete the copy"
        onConfirm={() => change('Protecting', 'The identity is protected', () => node.protectIdentity())}
      >
        The copy of the key from which backups are made is deleted. The key goes on working here, and your backups stay
        good; to make further ones you will restore from one, or replace the key.
      </Confirm>
    </div>
  )
}

function fileName(name: string): string {
  return `starling-${name.replaceAll(' ', '-')}`
}
