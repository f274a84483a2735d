import type { NodeHandle, NodeRole } from '../../node/browser.ts'
import type { NodeApi, NodeEvent, NodeSnapshot } from '../../node/contract.ts'
import { SILENCE_MS } from '../limits.ts'
import { createStore, type Store } from './store.ts'

export interface SessionView {
  readonly phase: 'opening' | 'ready' | 'failed'
  readonly role: NodeRole
  readonly snapshot: NodeSnapshot | null
  /** Why the node could not be opened, in the engine's words. */
  readonly error: string | null
  /** True while the node has not answered for a while: what is shown is old. */
  readonly silent: boolean
}

type Listener = (event: NodeEvent) => void

/** The page's side of the running node: one subscription, shared by everything on the page. */
export class NodeSession {
  readonly view: Store<SessionView> = createStore<SessionView>({
    phase: 'opening',
    role: 'owner',
    snapshot: null,
    error: null,
    silent: false,
  })
  readonly #listeners = new Set<Listener>()
  readonly #handle: Promise<NodeHandle>
  #api: NodeApi | null = null
  #heardAt = 0

  constructor(open: () => Promise<NodeHandle>) {
    this.#handle = open()
    this.#handle.then(
      (handle) => this.#opened(handle),
      (error: unknown) => this.#patch({ phase: 'failed', error: errorText(error) }),
    )
  }

  /** The running node. Pages that use it are drawn only once the session is ready. */
  get api(): NodeApi {
    if (this.#api === null) throw new Error('The node is not open yet')
    return this.#api
  }

  /** Resolves with the node once it is open. */
  async opened(): Promise<NodeApi> {
    return (await this.#handle).api
  }

  /** Calls `listener` with each event of the node until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Asks for a snapshot now, after an action whose effect should show at once. */
  async refresh(): Promise<void> {
    this.#take(await this.api.snapshot())
  }

  async #opened(handle: NodeHandle): Promise<void> {
    this.#api = handle.api
    handle.onRoleChange((role) => this.#patch({ role }))
    this.#patch({ role: handle.role() })
    try {
      await handle.api.subscribe((event) => this.#hear(event))
      this.#take(await handle.api.snapshot())
    } catch (error) {
      this.#patch({ phase: 'failed', error: errorText(error) })
    }
    setInterval(() => this.#watch(), SILENCE_MS / 2)
  }

  #watch(): void {
    if (performance.now() - this.#heardAt < SILENCE_MS || document.visibilityState === 'hidden') return
    this.#patch({ silent: true })
    this.api.snapshot().then(
      (snapshot) => this.#take(snapshot),
      () => undefined,
    )
  }

  #hear(event: NodeEvent): void {
    this.#heardAt = performance.now()
    if (event.type === 'snapshot') this.#take(event.snapshot)
    for (const listener of this.#listeners) listener(event)
  }

  #take(snapshot: NodeSnapshot): void {
    this.#heardAt = performance.now()
    this.#patch({ phase: 'ready', snapshot, error: null, silent: false })
  }

  #patch(part: Partial<SessionView>): void {
    this.view.set({ ...this.view.get(), ...part })
  }
}

/** What an error says, for a person; past a worker boundary only its text is certain. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
