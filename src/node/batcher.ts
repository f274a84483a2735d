/**
 * Hands items on in groups: the first at once, what follows within the interval together at its end. So a lone item never waits, and
 * a stream of them is handled some at a time.
 */
export class Batcher<Item> {
  readonly #flush: (items: readonly Item[]) => void
  readonly #intervalMs: number
  readonly #itemsMax: number
  #waiting: Item[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  /**
   * @param options.intervalMs - Least time between two groups, but for full ones.
   * @param options.itemsMax - A group of this many goes at once.
   */
  constructor(
    flush: (items: readonly Item[]) => void,
    options: { readonly intervalMs: number; readonly itemsMax: number },
  ) {
    this.#flush = flush
    this.#intervalMs = options.intervalMs
    this.#itemsMax = options.itemsMax
  }

  add(item: Item): void {
    this.#waiting.push(item)
    if (this.#timer === undefined) {
      this.#send()
      this.#timer = setTimeout(() => this.#ring(), this.#intervalMs)
    } else if (this.#waiting.length >= this.#itemsMax) {
      this.#send()
    }
  }

  #ring(): void {
    if (this.#waiting.length === 0) {
      this.#timer = undefined
      return
    }
    this.#send()
    this.#timer = setTimeout(() => this.#ring(), this.#intervalMs)
  }

  #send(): void {
    const items = this.#waiting
    this.#waiting = []
    this.#flush(items)
  }
}
