import { Button } from '../parts/button.tsx'
import { Notice, PageSkeleton } from '../parts/panel.tsx'
import { useSessionView } from '../state/node-context.ts'
import { useNow } from '../state/now.ts'

/** Starting takes a second or two; after this, somebody wants to know why it takes longer. */
const SLOW_MS = 6_000
const OPENED_AT = Date.now()

/** Until the node answers: skeletons, or why it could not start. */
export function Opening() {
  const { phase, error } = useSessionView((view) => view)
  const slow = useNow() - OPENED_AT > SLOW_MS
  if (phase !== 'failed') {
    return (
      <div className="stack">
        {slow ? (
          <Notice tone="warning" title="Waiting for the relay">
            On its first visit this page needs one answer from the relay that served it. Starling asks every two
            seconds. Check that the relay runs and that this device is online; there is nothing else to do here.
          </Notice>
        ) : null}
        <PageSkeleton />
      </div>
    )
  }
  return (
    <Notice
      tone="error"
      title="This tab could not start its node"
      action={<Button onClick={() => location.reload()}>Reload</Button>}
    >
      {error}. Nothing runs here. Reload the tab; if it stays so, the browser may forbid storage or workers for this
      site.
    </Notice>
  )
}
