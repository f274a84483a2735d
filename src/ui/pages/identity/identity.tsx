import { useCallback, useState } from 'react'
import type { IdentityInfo } from '../../../node/identity-contract.ts'
import { peerName } from '../../format/peer-name.ts'
import { Notice, PageSkeleton } from '../../parts/panel.tsx'
import { PeerPicture } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { useNode } from '../../state/node-context.ts'
import { usePolled } from '../../state/polled.ts'
import { DevicesPanel } from './devices-panel.tsx'
import { IdentityContext } from './identity-context.ts'
import { KeyPanel } from './key-panel.tsx'
import { RestorePanel, RevokePanel } from './restore-panel.tsx'
import { UnlockersPanel } from './unlockers-panel.tsx'
import { identityWords } from './words.ts'
import './identity.css'

const READ_INTERVAL_MS = 5_000

/** Who this device stands for, and how its owner keeps that. */
export function Identity() {
  const node = useNode()
  const [changed, setChanged] = useState<IdentityInfo | null>(null)
  const read = useCallback(async () => {
    const info = await node.identity()
    setChanged(null)
    return info
  }, [node])
  const { value, error, reload } = usePolled(read, READ_INTERVAL_MS)
  const info = changed ?? value
  if (info === null) {
    return error === null ? (
      <PageSkeleton />
    ) : (
      <Notice tone="error" title="The identity could not be read">
        {error}
      </Notice>
    )
  }
  const words = identityWords(info)
  return (
    <IdentityContext value={{ info, set: setChanged, reload }}>
      <div className="stack">
        <header className="page-head">
          <PeerPicture peerId={info.rootId} size={36} />
          <div className="grow">
            <h1>{peerName(info.rootId)}</h1>
            <p className="quiet small">
              Your identity, made <RelativeTime at={info.createdAt} />
            </p>
          </div>
        </header>
        <Notice tone={words.tone} title={words.title}>
          {words.text}
        </Notice>
        <div className="identity-halves">
          <div className="stack">
            <UnlockersPanel />
            <KeyPanel />
          </div>
          <div className="stack">
            <DevicesPanel />
            <RestorePanel />
          </div>
        </div>
        <RevokePanel />
      </div>
    </IdentityContext>
  )
}
