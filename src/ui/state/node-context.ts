import { createContext, useContext } from 'react'
import type { NodeApi, NodeSnapshot } from '../../node/contract.ts'
import type { NodeSession, SessionView } from './session.ts'
import { useStore } from './store.ts'

export const SessionContext = createContext<NodeSession | null>(null)

export function useSession(): NodeSession {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('No node session above this component')
  return session
}

export function useNode(): NodeApi {
  return useSession().api
}

export function useSessionView<S>(select: (view: SessionView) => S, equal?: (a: S, b: S) => boolean): S {
  return useStore(useSession().view, select, equal)
}

/** A part of the snapshot; `fallback` while there is none. */
export function useSnapshot<S>(select: (snapshot: NodeSnapshot) => S, fallback: S, equal?: (a: S, b: S) => boolean): S {
  return useSessionView((view) => (view.snapshot === null ? fallback : select(view.snapshot)), equal)
}
