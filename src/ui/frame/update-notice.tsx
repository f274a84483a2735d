import { Button } from '../parts/button.tsx'
import { Notice } from '../parts/panel.tsx'
import { useStore } from '../state/store.ts'
import { takeUpdate, updateState } from './update.ts'

export function UpdateNotice() {
  const state = useStore(updateState, (value) => value)
  if (state === 'none') return null
  const what = state === 'waiting' ? 'A new version of Starling is ready' : 'Another tab updated Starling'
  return (
    <div className="update-notice">
      <Notice tone="info" title={what} action={<Button onClick={takeUpdate}>Reload now</Button>}>
        It starts when you reload. Units running here go back to their requesters and nothing accepted is lost.
      </Notice>
    </div>
  )
}
