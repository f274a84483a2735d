import type { Budget } from './budget.ts'
import { HostFailure } from './errors.ts'
import { fail } from './fault.ts'
import { FILE_BYTES_MAX, GROWTH_BYTES_MIN } from './limits.ts'

/**
 * The bytes of one file. It starts as a view of somebody else's bytes, which it never changes: the first change copies
 * them. Growing doubles the buffer, so that appending costs constant time a byte on average. Every change pays for the
 * bytes it moves before it moves them.
 */
export class Content {
  #bytes: Uint8Array
  #size: number
  #shared: boolean

  /** @param bytes - Not modified. They count in no budget until they are copied. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#size = bytes.length
    this.#shared = true
  }

  get size(): number {
    return this.#size
  }

  /** The bytes from `offset` on, at most `count`; a view, valid until the next change. */
  read(offset: number, count: number): Uint8Array {
    return this.#bytes.subarray(Math.min(offset, this.#size), Math.min(offset + count, this.#size))
  }

  /**
   * Stores bytes at `offset`; a gap before them reads as zeros.
   *
   * @returns Bytes stored: fewer than given when there is room for a part only.
   * @throws EFBIG past the largest file, ENOSPC when not one byte fits.
   */
  write(offset: number, source: Uint8Array, budget: Budget): number {
    if (source.length === 0) return 0
    if (offset >= FILE_BYTES_MAX) fail('fbig')
    this.#own(budget)
    let end = Math.min(offset + source.length, FILE_BYTES_MAX)
    if (end > this.#size) {
      end = Math.min(end, this.#size + budget.bytesFree())
      if (end <= offset) fail('nospc')
    }
    budget.spendBytes(end - offset)
    this.#extend(end, budget)
    this.#bytes.set(source.length === end - offset ? source : source.subarray(0, end - offset), offset)
    return end - offset
  }

  /** Cuts, or extends with zeros. @throws EFBIG or ENOSPC; nothing changed then. */
  resize(size: number, budget: Budget): void {
    if (size > FILE_BYTES_MAX) fail('fbig')
    if (size > this.#size) {
      this.#own(budget)
      this.#extend(size, budget)
    } else if (this.#shared) {
      // The rest stays somebody else's bytes.
      this.#bytes = this.#bytes.subarray(0, size)
      this.#size = size
    } else {
      this.#cut(size, budget)
    }
  }

  /** Gives the bytes back to the budget: the last name and the last descriptor are gone. */
  release(budget: Budget): void {
    if (!this.#shared) budget.giveBytes(this.#size)
    this.#bytes = new Uint8Array(0)
    this.#size = 0
    this.#shared = true
  }

  #own(budget: Budget): void {
    if (!this.#shared) return
    budget.takeBytes(this.#size)
    budget.spendBytes(this.#size)
    this.#bytes = this.#bytes.slice(0, this.#size)
    this.#shared = false
  }

  #cut(size: number, budget: Budget): void {
    budget.giveBytes(this.#size - size)
    if (size === 0) {
      this.#bytes = new Uint8Array(0)
    } else {
      // What a later extension uncovers must read as zeros.
      budget.spendBytes(this.#size - size)
      this.#bytes.fill(0, size, this.#size)
    }
    this.#size = size
  }

  #extend(size: number, budget: Budget): void {
    if (size <= this.#size) return
    budget.takeBytes(size - this.#size)
    if (size > this.#bytes.length) {
      const capacity = Math.min(Math.max(this.#bytes.length * 2, GROWTH_BYTES_MIN, size), FILE_BYTES_MAX)
      budget.spendBytes(capacity)
      const grown = allocate(capacity)
      grown.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = grown
    }
    this.#size = size
  }
}

/** Memory that this engine does not have is no answer to the program: another executor would give another. */
function allocate(byteCount: number): Uint8Array {
  try {
    return new Uint8Array(byteCount)
  } catch (cause) {
    throw new HostFailure(`No memory for a file buffer of ${byteCount} bytes`, { byteCount }, { cause })
  }
}
