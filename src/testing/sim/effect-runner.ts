import type { CommonEffect, StoreOp } from '../../core/tasks/store-ops.ts'
import type { World } from './world.ts'

/** What a runner needs of the peer whose machine it serves. */
export interface EffectPorts<Effect> {
  /** Called before each effect. @returns Whether the peer is still up. */
  alive(): boolean
  write(ops: readonly StoreOp[]): void
  wakeAt(atMs: number): void
  perform(effect: Effect): void
}

/**
 * Performs one machine's effects in order: a `persist` takes a while, and all that comes after it waits, over all steps. The peer
 * may crash between any two.
 */
export class EffectRunner<Effect extends { readonly type: string }> {
  readonly #world: World
  readonly #ports: EffectPorts<Effect>
  #queue: (Effect | CommonEffect)[] = []
  #writing = false

  constructor(world: World, ports: EffectPorts<Effect>) {
    this.#world = world
    this.#ports = ports
  }

  push(effects: readonly (Effect | CommonEffect)[]): void {
    this.#queue.push(...effects)
    if (!this.#writing) this.#run()
  }

  #run(): void {
    for (let i = 0; i < this.#queue.length; i++) {
      // The index is below the length.
      const effect = this.#queue[i] as Effect | CommonEffect
      if (!this.#ports.alive()) return
      if (effect.type === 'persist') {
        this.#queue = this.#queue.slice(i + 1)
        this.#write((effect as Extract<CommonEffect, { type: 'persist' }>).ops)
        return
      }
      if (effect.type === 'wakeAt') this.#ports.wakeAt((effect as Extract<CommonEffect, { type: 'wakeAt' }>).atMs)
      else this.#ports.perform(effect as Effect)
    }
    this.#queue = []
  }

  #write(ops: readonly StoreOp[]): void {
    this.#writing = true
    this.#world.after(this.#world.between(0, 5), () => {
      // A crash before this moment loses the write as a whole.
      if (!this.#ports.alive()) return
      this.#ports.write(ops)
      this.#writing = false
      this.#run()
    })
  }
}
