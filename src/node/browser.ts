import { proxy, type Remote, transfer, wrap } from 'comlink'
import { serveRtc } from '../net/rtc/bridge.ts'
import { installErrorTransfer } from '../workers/error-transfer.ts'
import type { NodeWorkerApi, NodeWorkerInit } from '../workers/node/contract.ts'
import { RELAYS_WORKERS, serveWorkers } from '../workers/relayed/window.ts'
import { inviteOf } from './capability.ts'
import type { NodeApi, NodeEvent } from './contract.ts'
import { watchPlatform } from './platform.ts'
import { API_METHODS, type ApiCall, callApi, ViewerClient, ViewerServer, WATCH_INTERVAL_MS } from './sharing.ts'

/** Owners run the node in this tab's worker; viewers show the node of another tab of the origin. */
export type NodeRole = 'owner' | 'viewer'

export interface NodeHandle {
  readonly api: NodeApi
  role(): NodeRole
  /** Called with the new role when this tab takes the node over. Returns the unlisten. */
  onRoleChange(listener: (role: NodeRole) => void): () => void
  close(): void
}

export interface OpenNodeInit {
  /** @default The page's origin. */
  readonly relays?: readonly string[]
  /** Two names at one origin are two peers. @default 'starling' */
  readonly name?: string
}

/**
 * Opens the one node of this origin: the tab that gets the Web Lock runs it in a worker, every other tab shows it and takes over
 * when the running tab goes away.
 */
export async function openNode(init: OpenNodeInit = {}): Promise<NodeHandle> {
  installErrorTransfer()
  const name = init.name ?? 'starling'
  const tab = new BrowserTab(name, {
    name,
    relays: init.relays ?? [location.origin],
    networkId: '',
    // Whatever view this is, the link to share is the page's front.
    pageUrl: new URL('/', location.href).href,
    invite: inviteOf(location.href),
  })
  await tab.open()
  await takeInvite(tab)
  return tab
}

/**
 * The node keeps the invite from here on; the address is left without it, so that it is not in every picture of the screen. A tab that
 * shows another tab's node hands its invite on to that.
 */
async function takeInvite(tab: NodeHandle): Promise<void> {
  const invite = inviteOf(location.href)
  if (invite === null) return
  history.replaceState(history.state, '', location.pathname + location.search)
  // A link of another network is no reason not to open.
  // biome-ignore lint/correctness/useHookAtTopLevel: a method of the node's contract, not a hook
  if (tab.role() === 'viewer') await tab.api.useInvite(invite).catch(() => undefined)
}

class BrowserTab implements NodeHandle {
  readonly api: NodeApi
  readonly #name: string
  readonly #workerInit: NodeWorkerInit
  readonly #listeners = new Map<number, (event: NodeEvent) => void>()
  readonly #roleListeners = new Set<(role: NodeRole) => void>()
  readonly #channel: BroadcastChannel
  readonly #closing = new AbortController()
  #subscriptions = 0
  #viewer: ViewerClient | undefined
  #owned: Promise<Remote<NodeApi>> | undefined

  constructor(name: string, workerInit: NodeWorkerInit) {
    this.#name = name
    this.#workerInit = workerInit
    this.#channel = new BroadcastChannel(`${name}-node`)
    this.api = this.#makeApi()
  }

  /** Resolves as soon as calls go somewhere, whether this tab runs the node or another does. */
  async open(): Promise<void> {
    const { locks } = navigator as { locks?: LockManager }
    if (locks === undefined) return this.#own()
    const { promise: placed, resolve: place } = Promise.withResolvers<void>()
    const hold = (): Promise<void> => {
      this.#own()
      place()
      return this.#untilClosed()
    }
    const lock = `${this.#name}-node`
    const first = locks.request(lock, { ifAvailable: true }, (granted) => {
      if (granted !== null) return hold()
      this.#view()
      place()
      // Waits in line for as long as this tab lives.
      void locks.request(lock, { signal: this.#closing.signal }, hold).catch(() => undefined)
      return undefined
    })
    await Promise.race([placed, first])
  }

  role(): NodeRole {
    return this.#owned === undefined ? 'viewer' : 'owner'
  }

  onRoleChange(listener: (role: NodeRole) => void): () => void {
    this.#roleListeners.add(listener)
    return () => this.#roleListeners.delete(listener)
  }

  close(): void {
    this.#closing.abort()
    this.#viewer?.close()
    this.#channel.close()
  }

  #untilClosed(): Promise<void> {
    return new Promise((resolve) => this.#closing.signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  #view(): void {
    const viewer = new ViewerClient(this.#channel as never, crypto.randomUUID(), (event) => this.#tell(event))
    this.#viewer = viewer
    const timer = setInterval(() => {
      if (this.#viewer === viewer) viewer.watch()
      else clearInterval(timer)
    }, WATCH_INTERVAL_MS)
  }

  #own(): void {
    const owned = this.#startWorker()
    this.#owned = owned
    this.#viewer?.close((call) => owned.then((api) => callApi(api as unknown as NodeApi, call)))
    this.#viewer = undefined
    for (const listener of this.#roleListeners) listener('owner')
  }

  async #startWorker(): Promise<Remote<NodeApi>> {
    const worker = new Worker(new URL('../workers/node/worker.ts', import.meta.url), { type: 'module', name: 'node' })
    const rtc = new MessageChannel()
    serveRtc(rtc.port1)
    const workers = RELAYS_WORKERS ? new MessageChannel() : null
    if (workers !== null) serveWorkers(workers.port1)
    const remote = wrap<NodeWorkerApi>(worker)
    const started = remote.start(
      this.#workerInit,
      transfer(rtc.port2, [rtc.port2]),
      workers && transfer(workers.port2, [workers.port2]),
    )
    const api = (await started) as unknown as Remote<NodeApi>
    const server = new ViewerServer(api as unknown as NodeApi, this.#channel as never)
    await api.subscribe(
      proxy((event: NodeEvent) => {
        this.#tell(event)
        server.event(event)
      }),
    )
    watchPlatform((fact) => void api.tell(fact))
    return api
  }

  #tell(event: NodeEvent): void {
    for (const listener of this.#listeners.values()) listener(event)
  }

  #call(call: ApiCall): Promise<unknown> {
    const owned = this.#owned
    if (owned !== undefined) return owned.then((api) => callApi(api as unknown as NodeApi, call))
    return this.#viewer?.call(call) ?? Promise.reject(new Error('The node is closed'))
  }

  /** Calls go to whichever tab runs the node at that moment; callbacks stay in this tab. */
  #makeApi(): NodeApi {
    const calls = API_METHODS.map((method) => [method, (...args: unknown[]) => this.#call({ method, args })])
    return {
      ...(Object.fromEntries(calls) as NodeApi),
      subscribe: async (listener) => {
        this.#listeners.set(++this.#subscriptions, listener)
        return this.#subscriptions
      },
      unsubscribe: async (subscription) => {
        this.#listeners.delete(subscription)
      },
    }
  }
}
