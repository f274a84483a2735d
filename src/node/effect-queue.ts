import type { Store, StoreOp } from '../storage/store.ts'

interface PersistEffect {
  readonly type: 'persist'
  readonly ops: readonly StoreOp[]
}

/**
 * Performs a state machine's effects in order, with `persist` as the barrier that the core counts on: what stands after it
 * happens only once it is durable. Several `persist`s are handed to the store at once, in order, so that one commit carries them.
 *
 * When the store refuses a batch the queue stops for good, as in a crash: nothing that would rest on the lost batch is done.
 */
export class EffectQueue<Effect extends { readonly type: string }> {
  readonly #store: Store
  readonly #perform: (effect: Exclude<Effect, PersistEffect>) => void
  readonly #onRefused: (error: unknown) => void
  readonly #queue: (Effect | Promise<void>)[] = []
  #head = 0
  #blocked = false
  #stopped = false

  /**
   * @param perform - Carries out one effect; must not throw and must not wait.
   * @param onRefused - Told once, when the store refused a batch and this queue stopped.
   */
  constructor(
    store: Store,
    perform: (effect: Exclude<Effect, PersistEffect>) => void,
    onRefused: (error: unknown) => void,
  ) {
    this.#store = store
    this.#perform = perform
    this.#onRefused = onRefused
  }

  get stopped(): boolean {
    return this.#stopped
  }

  push(effects: readonly Effect[]): void {
    if (this.#stopped) return
    for (const effect of effects) this.#queue.push(isPersist(effect) ? this.#store.write(effect.ops) : effect)
    this.#drain()
  }

  /** Nothing further is performed. */
  stop(): void {
    this.#stopped = true
    for (const each of this.#queue) if (each instanceof Promise) each.catch(() => undefined)
    this.#queue.length = 0
    this.#head = 0
  }

  #drain(): void {
    while (!this.#blocked && !this.#stopped && this.#head < this.#queue.length) {
      const next = this.#queue[this.#head++]
      if (next instanceof Promise) this.#wait(next)
      else this.#perform(next as Exclude<Effect, PersistEffect>)
    }
    if (this.#head > 0 && this.#head === this.#queue.length) {
      this.#queue.length = 0
      this.#head = 0
    }
  }

  #wait(durable: Promise<void>): void {
    this.#blocked = true
    durable.then(
      () => {
        this.#blocked = false
        this.#drain()
      },
      (error: unknown) => {
        if (this.#stopped) return
        this.stop()
        this.#onRefused(error)
      },
    )
  }
}

function isPersist(effect: { readonly type: string }): effect is PersistEffect {
  return effect.type === 'persist'
}
