import { useState } from 'react'
import type { TrustEntry } from '../../../node/trust-contract.ts'
import { peerName } from '../../format/peer-name.ts'
import { Button } from '../../parts/button.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { act, say } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'

const HOUR_MS = 3_600_000

const DURATIONS = [
  { value: 24 * HOUR_MS, word: '24 hours' },
  { value: 7 * 24 * HOUR_MS, word: '7 days' },
  { value: 30 * 24 * HOUR_MS, word: '30 days' },
  { value: null, word: 'Until I lift it' },
] as const

interface ActionProps {
  readonly entry: Pick<TrustEntry, 'rootId' | 'blacklisted'>
  readonly onDone: () => void
}

/** Puts a peer on the blacklist or takes it off, after asking. */
export function BlacklistAction({ entry, onDone }: ActionProps) {
  return entry.blacklisted === null ? (
    <Block rootId={entry.rootId} onDone={onDone} />
  ) : (
    <Unblock entry={entry} onDone={onDone} />
  )
}

function Block({ rootId, onDone }: { readonly rootId: string; readonly onDone: () => void }) {
  const node = useNode()
  const [duration, setDuration] = useState(0)
  const [reason, setReason] = useState('')
  const name = peerName(rootId)
  const block = async (): Promise<void> => {
    const durationMs = DURATIONS[duration]?.value ?? null
    await node.blacklistPeer(rootId, { durationMs, reason: reason.trim() || 'No reason given' })
    say(`${name} is blacklisted`)
    onDone()
  }
  return (
    <Confirm
      trigger={<Button look="danger">Blacklist</Button>}
      title={`Blacklist ${name}?`}
      action="Blacklist"
      onConfirm={() => act('Blacklisting', block)}
    >
      <div className="stack">
        <span>
          Its connections end, it gets no work from here, and its offers are ignored. What it did so far stays in its
          history. Others are not told.
        </span>
        <label className="stack stack-tight">
          <span>For how long</span>
          <select className="input" value={duration} onChange={(event) => setDuration(Number(event.target.value))}>
            {DURATIONS.map(({ word }, index) => (
              <option key={word} value={index}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label className="stack stack-tight">
          <span>Why, for your own memory</span>
          <input className="input" value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
        </label>
      </div>
    </Confirm>
  )
}

function Unblock({ entry, onDone }: ActionProps) {
  const node = useNode()
  const name = peerName(entry.rootId)
  const unblock = async (): Promise<void> => {
    await node.unblacklistPeer(entry.rootId)
    say(`${name} is off the blacklist`)
    onDone()
  }
  return (
    <Confirm
      trigger={<Button>Take off the blacklist</Button>}
      title={`Let ${name} back?`}
      action="Let it back"
      onConfirm={() => act('Taking it off the blacklist', unblock)}
    >
      It may connect again and begins on trial: everything it does is checked until enough of it was good. It was
      blacklisted because: {entry.blacklisted?.reason}.
    </Confirm>
  )
}
