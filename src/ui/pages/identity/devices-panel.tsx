import { MonitorSmartphone } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import type { DeviceInfo } from '../../../node/identity-contract.ts'
import { absolute } from '../../format/time.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Panel } from '../../parts/panel.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode } from '../../state/node-context.ts'
import { useChange, useIdentity } from './identity-context.ts'
import { DEVICE_WORDS } from './words.ts'

/** The devices that the identity certified. */
export function DevicesPanel() {
  const { devices } = useIdentity().info
  return (
    <Panel title="Devices" note={`${devices.length}`}>
      <ul className="identity-list">
        {devices.map((device) => (
          <DeviceRow key={device.peerId} device={device} />
        ))}
      </ul>
    </Panel>
  )
}

function DeviceRow({ device }: { readonly device: DeviceInfo }) {
  const node = useNode()
  const change = useChange()
  const { state } = useIdentity().info
  const usable = state === 'provisional' || state === 'protected'
  const [editing, setEditing] = useState(false)
  const takeOut = (): void =>
    change('Taking the device out', 'The device was taken out', () => node.revokeDevice(device.peerId))
  return (
    <li className="identity-row">
      <MonitorSmartphone aria-hidden="true" className="identity-icon" />
      <div className="grow">
        {editing ? (
          <RenameForm device={device} onDone={() => setEditing(false)} />
        ) : (
          <div className="truncate" title={device.peerId}>
            {device.name}
            {device.self ? <span className="quiet"> (this device)</span> : null}
          </div>
        )}
        <div className="quiet small">
          {DEVICE_WORDS[device.state]}
          {device.state === 'valid' ? (
            <span title={absolute(device.expiresAt)}>
              , renewed <RelativeTime at={device.issuedAt} />
            </span>
          ) : null}
        </div>
      </div>
      {usable && !editing ? (
        <Button look="quiet" aria-label={`Rename ${device.name}`} onClick={() => setEditing(true)}>
          Rename
        </Button>
      ) : null}
      {usable && !device.self && device.state === 'valid' ? (
        <Confirm
          trigger={
            <Button look="quiet" aria-label={`Take out ${device.name}`}>
              Take out
            </Button>
          }
          title={`Take out “${device.name}”?`}
          action="Take it out"
          onConfirm={takeOut}
        >
          Others stop counting it as yours as soon as they meet one of your devices. If somebody else has it in hand,
          replace the key as well: it was restored there too.
        </Confirm>
      ) : null}
    </li>
  )
}

function RenameForm({ device, onDone }: { readonly device: DeviceInfo; readonly onDone: () => void }) {
  const node = useNode()
  const change = useChange()
  const [name, setName] = useState(device.name)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    change('Renaming', 'Renamed', () => node.renameDevice(device.peerId, name))
    onDone()
  }
  return (
    <form className="row" onSubmit={submit}>
      <input
        className="input grow"
        aria-label="Name of the device"
        value={name}
        maxLength={48}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" disabled={name.trim() === ''}>
        Save
      </Button>
    </form>
  )
}
