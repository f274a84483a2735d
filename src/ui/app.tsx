import { lazy, useEffect, useRef } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { Frame } from './frame/frame.tsx'
import { PageBoundary } from './frame/page-boundary.tsx'
import { Home } from './pages/home/home.tsx'
import { NotFound } from './pages/not-found.tsx'
import { Opening } from './pages/opening.tsx'
import { Toasts } from './parts/toasts.tsx'
import { SessionContext, useSessionView } from './state/node-context.ts'
import type { NodeSession } from './state/session.ts'
import './tokens.css'
import './base.css'

const Run = lazy(() => import('./pages/run/run.tsx').then(({ Run }) => ({ default: Run })))
const Jobs = lazy(() => import('./pages/jobs/jobs.tsx').then(({ Jobs }) => ({ default: Jobs })))
const Job = lazy(() => import('./pages/job/job.tsx').then(({ Job }) => ({ default: Job })))
const Learn = lazy(() => import('./pages/learn/learn.tsx').then(({ Learn }) => ({ default: Learn })))
const NewLearningTask = lazy(() =>
  import('./pages/learn/new-task.tsx').then(({ NewLearningTask }) => ({ default: NewLearningTask })),
)
const LearningTask = lazy(() =>
  import('./pages/learn/learning-task.tsx').then(({ LearningTask }) => ({ default: LearningTask })),
)
const Peers = lazy(() => import('./pages/peers/peers.tsx').then(({ Peers }) => ({ default: Peers })))
const Identity = lazy(() => import('./pages/identity/identity.tsx').then(({ Identity }) => ({ default: Identity })))
const Trust = lazy(() => import('./pages/trust/trust.tsx').then(({ Trust }) => ({ default: Trust })))
const TrustPeer = lazy(() => import('./pages/trust/trust-peer.tsx').then(({ TrustPeer }) => ({ default: TrustPeer })))
const Security = lazy(() => import('./pages/security/security.tsx').then(({ Security }) => ({ default: Security })))
const Lab = lazy(() => import('./pages/learn/lab/lab.tsx').then(({ Lab }) => ({ default: Lab })))
const Diagnostics = lazy(() =>
  import('./pages/diagnostics/diagnostics.tsx').then(({ Diagnostics }) => ({ default: Diagnostics })),
)

export function App({ session }: { readonly session: NodeSession }) {
  return (
    <SessionContext value={session}>
      <Frame>
        <Pages />
      </Frame>
      <Toasts />
    </SessionContext>
  )
}

function Pages() {
  const ready = useSessionView((view) => view.snapshot !== null)
  const [location] = useLocation()
  useFocusOnNavigation(location)
  if (!ready) return <Opening />
  return (
    <PageBoundary key={location}>
      <Switch>
        <Route path="/">
          <Home />
        </Route>
        <Route path="/run/:example?">{({ example }) => <Run example={example ?? null} />}</Route>
        <Route path="/jobs">
          <Jobs />
        </Route>
        <Route path="/jobs/:jobId">{({ jobId }) => <Job key={jobId} jobId={jobId} />}</Route>
        <Route path="/learn">
          <Learn />
        </Route>
        <Route path="/learn/lab">
          <Lab />
        </Route>
        <Route path="/learn/new">
          <NewLearningTask />
        </Route>
        <Route path="/learn/:taskId">{({ taskId }) => <LearningTask key={taskId} taskId={taskId} />}</Route>
        <Route path="/peers">
          <Peers />
        </Route>
        <Route path="/identity">
          <Identity />
        </Route>
        <Route path="/trust">
          <Trust />
        </Route>
        <Route path="/trust/:rootId">{({ rootId }) => <TrustPeer key={rootId} rootId={rootId} />}</Route>
        <Route path="/security">
          <Security />
        </Route>
        <Route path="/diagnostics">
          <Diagnostics />
        </Route>
        <Route>
          <NotFound />
        </Route>
      </Switch>
    </PageBoundary>
  )
}

/** Moves the focus to the page and its top after a navigation, as a load would, but not on the first one. */
function useFocusOnNavigation(location: string): void {
  const last = useRef(location)
  useEffect(() => {
    if (last.current === location) return
    last.current = location
    scrollTo(0, 0)
    document.getElementById('page')?.focus({ preventScroll: true })
  }, [location])
}
