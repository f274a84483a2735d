import { StarlingError } from '../core/codec/errors.ts'
import type { NodeApi, NodeEvent } from './contract.ts'

/**
 * How other tabs of an origin use the one running node: calls and answers over a `BroadcastChannel`, since neither ports nor
 * Comlink proxies can cross it. The tab that runs the node serves; the others are viewers.
 */
export type SharedMessage =
  | { readonly type: 'owner' }
  | { readonly type: 'watch' }
  | { readonly type: 'event'; readonly event: NodeEvent }
  | { readonly type: 'call'; readonly viewer: string; readonly id: number; readonly call: ApiCall }
  | { readonly type: 'answer'; readonly viewer: string; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly viewer: string; readonly id: number; readonly error: PlainError }

export interface ApiCall {
  readonly method: keyof NodeApi
  readonly args: readonly unknown[]
}

interface PlainError {
  readonly name: string
  readonly message: string
}

/** The part of `BroadcastChannel` that is used; tests join several in one process. */
export interface SharedChannel {
  postMessage(message: SharedMessage): void
  addEventListener(type: 'message', listener: (event: { readonly data: SharedMessage }) => void): void
  removeEventListener(type: 'message', listener: (event: { readonly data: SharedMessage }) => void): void
}

/** The tab that ran the node was closed before it answered; what was asked may or may not have been done. */
export class NodeMovedError extends StarlingError {
  override readonly name = 'NodeMovedError'
}

/** A call that failed in the tab that runs the node; `name` is the original error's. */
export class RemoteCallError extends StarlingError {
  override readonly name: string
  constructor(error: PlainError) {
    super(error.message)
    this.name = error.name
  }
}

/**
 * What may be called from another tab: `read` may be asked again of the tab that took over, `write` may not, `none` stays
 * within the tab (callbacks cannot cross, and no viewer may stop the node).
 */
const METHODS: Readonly<Record<keyof NodeApi, 'read' | 'write' | 'none'>> = {
  snapshot: 'read',
  subscribe: 'none',
  unsubscribe: 'none',
  setLending: 'write',
  pause: 'write',
  resume: 'write',
  tell: 'none',
  inspectModule: 'read',
  dryRun: 'read',
  submitJob: 'write',
  pauseJob: 'write',
  resumeJob: 'write',
  cancelJob: 'write',
  removeJob: 'write',
  job: 'read',
  unitGrid: 'read',
  unit: 'read',
  results: 'read',
  exportReceipts: 'read',
  verifyReceipt: 'read',
  peers: 'read',
  dial: 'write',
  admission: 'read',
  startMining: 'write',
  pauseMining: 'write',
  useInvite: 'write',
  diagnostics: 'read',
  networkCheck: 'read',
  metrics: 'read',
  logs: 'read',
  identity: 'read',
  createBackup: 'write',
  proveBackup: 'write',
  addPasskey: 'write',
  provePasskey: 'write',
  passkeyFile: 'read',
  protectIdentity: 'write',
  restoreFromBackup: 'write',
  restoreFromPasskey: 'write',
  rotateIdentity: 'write',
  revokeDevice: 'write',
  renameDevice: 'write',
  revokeIdentity: 'write',
  exportIdentity: 'read',
  trustEntries: 'read',
  trustHistory: 'read',
  blacklist: 'read',
  blacklistPeer: 'write',
  unblacklistPeer: 'write',
  securityEvents: 'read',
  exportSecurityEvents: 'read',
  learningTasks: 'read',
  learningTask: 'read',
  learningOptions: 'read',
  createLearningTask: 'write',
  inspectLearningData: 'read',
  previewLearning: 'read',
  joinLearning: 'write',
  leaveLearning: 'write',
  pauseLearning: 'write',
  resumeLearning: 'write',
  removeLearning: 'write',
  learningConfusion: 'read',
  learningPredict: 'read',
  exportLearningModel: 'read',
  stop: 'none',
}

export const API_METHODS = Object.keys(METHODS) as (keyof NodeApi)[]

/** Events go out while a viewer said `watch` this recently; viewers say it three times as often. */
const WATCH_LEASE_MS = 9_000

/** Calls `api` by name. The table above is the allow-list: a name from another tab is data, not code. */
export async function callApi(api: NodeApi, { method, args }: ApiCall): Promise<unknown> {
  const methods = api as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>
  if (!Object.hasOwn(METHODS, method)) throw new RemoteCallError({ name: 'TypeError', message: `No method ${method}` })
  // Called on the object itself: a Comlink remote resolves the name there.
  return await methods[method]?.(...args)
}

/** The owner's side. */
export class ViewerServer {
  readonly #api: NodeApi
  readonly #channel: SharedChannel
  readonly #now: () => number
  #watchedUntil = 0

  constructor(api: NodeApi, channel: SharedChannel, now: () => number = Date.now) {
    this.#api = api
    this.#channel = channel
    this.#now = now
    channel.addEventListener('message', this.#onMessage)
    channel.postMessage({ type: 'owner' })
  }

  /** Passes an event of the node on, if anyone watches. */
  event(event: NodeEvent): void {
    if (this.#now() < this.#watchedUntil) this.#channel.postMessage({ type: 'event', event })
  }

  close(): void {
    this.#channel.removeEventListener('message', this.#onMessage)
  }

  readonly #onMessage = ({ data }: { readonly data: SharedMessage }): void => {
    if (data.type === 'watch') this.#watchedUntil = this.#now() + WATCH_LEASE_MS
    if (data.type === 'call') void this.#answer(data)
  }

  async #answer({ viewer, id, call }: Extract<SharedMessage, { type: 'call' }>): Promise<void> {
    try {
      if (METHODS[call.method] === 'none') throw new TypeError(`${call.method} cannot be called from another tab`)
      this.#channel.postMessage({ type: 'answer', viewer, id, value: await callApi(this.#api, call) })
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error))
      this.#channel.postMessage({ type: 'failure', viewer, id, error: { name, message } })
    }
  }
}

interface PendingCall {
  readonly call: ApiCall
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** A viewer's side: what it cannot reach yet waits for a tab that runs the node. */
export class ViewerClient {
  readonly #channel: SharedChannel
  readonly #viewer: string
  readonly #onEvent: (event: NodeEvent) => void
  readonly #pending = new Map<number, PendingCall>()
  #ids = 0

  constructor(channel: SharedChannel, viewer: string, onEvent: (event: NodeEvent) => void) {
    this.#channel = channel
    this.#viewer = viewer
    this.#onEvent = onEvent
    channel.addEventListener('message', this.#onMessage)
    this.watch()
  }

  /** To be called every {@link WATCH_INTERVAL_MS} while this tab shows the node. */
  watch(): void {
    this.#channel.postMessage({ type: 'watch' })
  }

  call(call: ApiCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = ++this.#ids
      this.#pending.set(id, { call, resolve, reject })
      this.#channel.postMessage({ type: 'call', viewer: this.#viewer, id, call })
    })
  }

  /** Ends this side; what is pending goes to `next` if it only reads, and fails with {@link NodeMovedError} if not. */
  close(next?: (call: ApiCall) => Promise<unknown>): void {
    this.#channel.removeEventListener('message', this.#onMessage)
    for (const pending of this.#pending.values()) {
      if (next !== undefined && METHODS[pending.call.method] === 'read')
        next(pending.call).then(pending.resolve, pending.reject)
      else pending.reject(movedError(pending.call))
    }
    this.#pending.clear()
  }

  readonly #onMessage = ({ data }: { readonly data: SharedMessage }): void => {
    if (data.type === 'event') this.#onEvent(data.event)
    else if (data.type === 'owner') this.#ownerChanged()
    else if ((data.type === 'answer' || data.type === 'failure') && data.viewer === this.#viewer) this.#settle(data)
  }

  #settle(data: Extract<SharedMessage, { type: 'answer' | 'failure' }>): void {
    const pending = this.#pending.get(data.id)
    this.#pending.delete(data.id)
    if (data.type === 'answer') pending?.resolve(data.value)
    else pending?.reject(new RemoteCallError(data.error))
  }

  #ownerChanged(): void {
    this.watch()
    for (const [id, pending] of this.#pending) {
      if (METHODS[pending.call.method] === 'read') {
        this.#channel.postMessage({ type: 'call', viewer: this.#viewer, id, call: pending.call })
      } else {
        this.#pending.delete(id)
        pending.reject(movedError(pending.call))
      }
    }
  }
}

export const WATCH_INTERVAL_MS = WATCH_LEASE_MS / 3

function movedError(call: ApiCall): NodeMovedError {
  return new NodeMovedError(
    'The tab that ran the node was closed before it answered; look whether it was done, then try again',
    {
      method: call.method,
    },
  )
}
