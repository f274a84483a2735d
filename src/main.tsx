import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openNode } from './node/browser.ts'
import type { NodeApi } from './node/contract.ts'
import { App } from './ui/app.tsx'
import { watchUpdates } from './ui/frame/update.ts'
import { OFFLINE_COPY_DELAY_MS } from './ui/limits.ts'
import { NodeSession } from './ui/state/session.ts'

declare global {
  /** The running peer of this tab, for the SDK, scripts and the curious. */
  var starling: NodeApi | undefined
}

const session = new NodeSession(openNode)
session.opened().then(
  (api) => {
    globalThis.starling = api
  },
  // The page says why; there is nothing more to do here.
  () => undefined,
)

const root = document.getElementById('root')
if (root === null) throw new Error('index.html has no #root')
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
)
setTimeout(watchUpdates, OFFLINE_COPY_DELAY_MS)
