import { X } from 'lucide-react'
import { Toast } from 'radix-ui'
import { TOAST_MS } from '../limits.ts'
import { errorText } from '../state/session.ts'
import { createStore, useStore } from '../state/store.ts'
import { IconButton } from './button.tsx'
import './toasts.css'

interface ToastItem {
  readonly id: number
  readonly tone: 'info' | 'error'
  readonly title: string
  readonly detail: string | null
}

const toasts = createStore<readonly ToastItem[]>([])
let nextId = 1

/** Says that something worked, for a few seconds. */
export function say(title: string, detail: string | null = null): void {
  toasts.set([...toasts.get().slice(-3), { id: nextId++, tone: 'info', title, detail }])
}

/** Says what could not be done; stays until it is closed. */
export function sayError(title: string, error: unknown): void {
  toasts.set([...toasts.get().slice(-3), { id: nextId++, tone: 'error', title, detail: errorText(error) }])
}

/** Runs an action of a button and says so when it fails. */
export function act(what: string, action: () => Promise<unknown>): void {
  action().catch((error: unknown) => sayError(`${what} did not work`, error))
}

export function Toasts() {
  const items = useStore(toasts, (list) => list)
  const remove = (id: number): void => toasts.set(toasts.get().filter((item) => item.id !== id))
  return (
    <Toast.Provider swipeDirection="down" duration={TOAST_MS}>
      {items.map((item) => (
        <Toast.Root
          key={item.id}
          className={`toast toast-${item.tone}`}
          duration={item.tone === 'error' ? Number.POSITIVE_INFINITY : TOAST_MS}
          onOpenChange={(open) => (open ? undefined : remove(item.id))}
        >
          <div className="grow">
            <Toast.Title className="toast-title">{item.title}</Toast.Title>
            {item.detail === null ? null : <Toast.Description className="small">{item.detail}</Toast.Description>}
          </div>
          <Toast.Close asChild>
            <IconButton label="Dismiss">
              <X aria-hidden="true" />
            </IconButton>
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="toast-viewport" />
    </Toast.Provider>
  )
}
