import type { ResultItem } from '../../../node/contract.ts'

/** Rows asked for at once. */
export const PAGE_ROWS = 50
/** Pages kept; the least recently wanted goes first. */
const PAGES_MAX = 20

type ReadPage = (cursor: number, max: number) => Promise<readonly ResultItem[]>

/** Accepted results by position, fetched in pages when somebody looks at them. Positions never change once accepted. */
export class ResultPages {
  readonly #read: ReadPage
  readonly #onChange: () => void
  readonly #pages = new Map<number, readonly ResultItem[]>()
  readonly #asked = new Set<number>()

  constructor(read: ReadPage, onChange: () => void) {
    this.#read = read
    this.#onChange = onChange
  }

  at(position: number): ResultItem | null {
    return this.#pages.get(Math.floor(position / PAGE_ROWS))?.[position % PAGE_ROWS] ?? null
  }

  /** Makes sure that the rows from `first` to `last` are there or on their way. */
  want(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE_ROWS); page <= Math.floor(last / PAGE_ROWS); page++) {
      const known = this.#pages.get(page)
      const needed = Math.min(PAGE_ROWS, last - page * PAGE_ROWS + 1)
      if (known !== undefined && known.length >= needed) {
        // Wanted again: the newest entry of the map.
        this.#pages.delete(page)
        this.#pages.set(page, known)
      } else if (!this.#asked.has(page)) this.#fetch(page)
    }
  }

  #fetch(page: number): void {
    this.#asked.add(page)
    this.#read(page * PAGE_ROWS, PAGE_ROWS)
      .then((items) => {
        this.#pages.set(page, items)
        const oldest = this.#pages.keys().next().value
        if (this.#pages.size > PAGES_MAX && oldest !== undefined) this.#pages.delete(oldest)
      })
      // A later look asks again.
      .catch(() => undefined)
      .finally(() => {
        this.#asked.delete(page)
        this.#onChange()
      })
  }
}
