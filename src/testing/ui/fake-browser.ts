import type { NodeHandle } from '../../node/browser.ts'
import { FakeNode, type Scenario } from './fake-node.ts'

/** Takes the place of `src/node/browser.ts` in the harness; `?scenario=` chooses the state. */
export async function openNode(): Promise<NodeHandle> {
  const stored = sessionStorage.getItem('scenario')
  const asked = new URLSearchParams(location.search).get('scenario') ?? stored ?? 'room'
  sessionStorage.setItem('scenario', asked)
  // The harness is opened by hand or by a test; both name one of the scenarios.
  const api = new FakeNode(asked as Scenario)
  return { api, role: () => 'owner', onRoleChange: () => () => undefined, close: () => undefined }
}
