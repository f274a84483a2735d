import type { Architecture } from '../../core/learning/model.ts'
import { AGREEMENT_MAX, disagreement } from './agreement.ts'
import type { EngineInfo, EngineKind } from './contract.ts'
import type { Engine } from './engine.ts'
import type { TrainingPlatform } from './platform.ts'
import { ReferenceEngine } from './reference-engine.ts'

/** The engine in use: the first that is there and agrees with the reference; the next one when it fails in use. */
export class EngineChoice {
  readonly #platform: TrainingPlatform
  readonly #untried: EngineKind[]
  readonly #reasons: string[] = []
  readonly #plain = new ReferenceEngine()
  #engine: Promise<Engine> | null = null

  constructor(platform: TrainingPlatform, order: readonly EngineKind[]) {
    this.#platform = platform
    this.#untried = [...order]
  }

  async info(): Promise<EngineInfo> {
    const { kind } = await this.#current()
    return { kind, reasons: [...this.#reasons] }
  }

  /**
   * Runs `work` with the engine for a model. If the engine throws (a graphics card that went away), `work` is done again with the next.
   *
   * @param ended - Whether an error is the work's own, such as a cancellation, and no other engine would do better.
   */
  async use<T>(
    architecture: Architecture,
    work: (engine: Engine) => Promise<T>,
    ended: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (;;) {
      const chosen = this.#current()
      const engine = this.#fitting(await chosen, architecture)
      try {
        return await work(engine)
      } catch (error) {
        if (engine.kind === 'reference' || ended(error)) throw error
        // Another piece of work may have moved on already.
        if (this.#engine === chosen) {
          this.#reasons.push(`${engine.kind} failed in use: ${messageOf(error)}`)
          this.#engine = null
        }
      }
    }
  }

  /**
   * jax-js 0.1.25 is slower than the plain loops at convolutions in WebAssembly: 137 ms against 31 ms for a step of 28×28, filters 4 and 8,
   * batch 32 (measured in one run).
   */
  #fitting(engine: Engine, architecture: Architecture): Engine {
    return engine.kind === 'wasm' && architecture.kind === 'conv' ? this.#plain : engine
  }

  #current(): Promise<Engine> {
    this.#engine ??= this.#next()
    return this.#engine
  }

  async #next(): Promise<Engine> {
    for (let kind = this.#untried.shift(); kind !== undefined; kind = this.#untried.shift()) {
      if (kind === 'reference') break
      try {
        const engine = await this.#platform.loadEngine(kind)
        if (engine === null) {
          this.#reasons.push(`${kind} is not there`)
          continue
        }
        const difference = await disagreement(engine)
        if (difference <= AGREEMENT_MAX) return engine
        this.#reasons.push(`${kind} differs from the reference by ${difference.toPrecision(2)}, limit ${AGREEMENT_MAX}`)
      } catch (error) {
        this.#reasons.push(`${kind} failed: ${messageOf(error)}`)
      }
    }
    return this.#plain
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200)
}
