import { OutputLimit } from './errors.ts'
import { fail } from './fault.ts'
import { GROWTH_BYTES_MIN } from './limits.ts'
import type { Pipe } from './nodes.ts'

const NOTHING = new Uint8Array(0)

/** Standard input: bytes given beforehand, then the end. */
export class InputPipe implements Pipe {
  readonly #bytes: Uint8Array
  #read = 0

  /** @param bytes - Not modified. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get available(): number {
    return this.#bytes.length - this.#read
  }

  read(count: number): Uint8Array {
    const part = this.#bytes.subarray(this.#read, this.#read + count)
    this.#read += part.length
    return part
  }

  write(): never {
    return fail('badf')
  }
}

/** Standard output or error: keeps what is written, up to a bound that ends the unit. */
export class OutputPipe implements Pipe {
  readonly #field: 'stdout' | 'stderr'
  readonly #bytesMax: number
  #bytes = NOTHING
  #size = 0

  constructor(field: 'stdout' | 'stderr', bytesMax: number) {
    this.#field = field
    this.#bytesMax = bytesMax
  }

  get available(): number {
    return 0
  }

  read(): never {
    return fail('badf')
  }

  /** @throws {@link OutputLimit} When the bytes do not fit. */
  write(bytes: Uint8Array): void {
    const size = this.#size + bytes.length
    if (size > this.#bytesMax) throw new OutputLimit(this.#field, size, this.#bytesMax)
    if (size > this.#bytes.length) {
      const grown = new Uint8Array(Math.min(Math.max(this.#bytes.length * 2, GROWTH_BYTES_MIN, size), this.#bytesMax))
      grown.set(this.#bytes.subarray(0, this.#size))
      this.#bytes = grown
    }
    this.#bytes.set(bytes, this.#size)
    this.#size = size
  }

  /** A copy of what was written. */
  contents(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }
}
