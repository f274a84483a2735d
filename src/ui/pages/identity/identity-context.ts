import { createContext, useContext } from 'react'
import type { IdentityInfo } from '../../../node/identity-contract.ts'
import { act, say } from '../../parts/toasts.tsx'

/** The identity that the page shows, and how a part of the page puts a newer one in its place. */
export interface IdentityView {
  readonly info: IdentityInfo
  readonly set: (info: IdentityInfo) => void
  readonly reload: () => void
}

export const IdentityContext = createContext<IdentityView | null>(null)

export function useIdentity(): IdentityView {
  const view = useContext(IdentityContext)
  if (view === null) throw new Error('No identity above this component')
  return view
}

/** Runs a change of the identity, shows the result, and says that it worked or why not. */
export function useChange(): (what: string, done: string, change: () => Promise<IdentityInfo>) => void {
  const { set } = useIdentity()
  return (what, done, change) =>
    act(what, async () => {
      set(await change())
      say(done)
    })
}
