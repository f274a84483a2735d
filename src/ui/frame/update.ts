import { registerSW } from 'virtual:pwa-register'
import { createStore } from '../state/store.ts'

/** `none`, a version that waits for a person's yes, or one that another tab already took. */
export type UpdateState = 'none' | 'waiting' | 'taken'

export const updateState = createStore<UpdateState>('none')

let apply: ((reload?: boolean) => Promise<void>) | null = null
let asked = false

/** Registers the service worker. It never reloads a page that nobody asked to reload: a node may be working in it. */
export function watchUpdates(): void {
  apply = registerSW({
    onNeedRefresh: () => updateState.set('waiting'),
    onNeedReload: () => {
      if (asked) location.reload()
      else updateState.set('taken')
    },
    // Without a service worker (private windows of some browsers, plain HTTP) everything but offline use works.
    onRegisterError: () => undefined,
  })
}

/** Takes the new version; units that run here go back to their requesters. */
export function takeUpdate(): void {
  if (updateState.get() === 'taken') {
    location.reload()
    return
  }
  asked = true
  void reloadOnceActive().then(() => apply?.(true))
}

/** A page that was opened before there was any service worker is told of no new controller; the worker's own state is. */
async function reloadOnceActive(): Promise<void> {
  const { waiting } = (await navigator.serviceWorker.getRegistration()) ?? {}
  // Nothing waits when no page was under the old one: the new one is in force already.
  if (waiting === null || waiting === undefined) {
    location.reload()
    return
  }
  waiting.addEventListener('statechange', () => {
    if (waiting.state === 'activated') location.reload()
  })
}
