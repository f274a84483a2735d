import { Button } from '../parts/button.tsx'
import { Notice, Skeleton } from '../parts/panel.tsx'
import { useSessionView } from '../state/node-context.ts'

/** Until the node answers: skeletons, or why it could not start. */
export function Opening() {
  const { phase, error } = useSessionView((view) => view)
  if (phase !== 'failed') {
    return (
      <div className="page-skeleton">
        <Skeleton lines={12} />
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
