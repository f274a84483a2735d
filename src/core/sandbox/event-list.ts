/** What the emitter does at a place of the body besides copying it. The argument's meaning is given for each. */

/** Charge a cell (argument: the cell); the depth of loops around it in the second argument. */
export const EVENT_CHARGE = 0
/** Leave out source bytes. */
export const EVENT_SKIP = 1
/** Direct call (function). */
export const EVENT_CALL = 2
/** Indirect call (type); the table index follows in the second argument. */
export const EVENT_CALL_INDIRECT = 3
export const EVENT_RETURN_CALL = 4
export const EVENT_RETURN_CALL_INDIRECT = 5
/** `return` (number of open blocks). */
export const EVENT_RETURN = 6
export const EVENT_UNREACHABLE = 7
export const EVENT_MEMORY_GROW = 8
/** Charge by the length on top of the stack, in bytes. */
export const EVENT_BULK_BYTES = 9
/** Charge by the length on top of the stack, in elements. */
export const EVENT_BULK_ELEMENTS = 10
/** Access of the local that made room for the state (opcode). */
export const EVENT_LOCAL = 11
/** `ref.func` (function). */
export const EVENT_REF_FUNC = 12
/** Arithmetic result on top (node; the type in the second argument). */
export const EVENT_PRODUCED = 13
/** Value on top about to be shown (node; the type in the second argument). */
export const EVENT_OBSERVED = 14

const STRIDE = 5

/** The events of one function in the order of their places; one growing array, no object for each. */
export class EventList {
  data = new Int32Array(4_096)
  #length = 0

  reset(): void {
    this.#length = 0
  }

  get count(): number {
    return this.#length / STRIDE
  }

  /** Adds an event at byte `at` of the module; `skip` source bytes from there are replaced by it. */
  push(kind: number, at: number, skip: number, first: number, second: number): void {
    if (this.#length + STRIDE > this.data.length) {
      const grown = new Int32Array(this.data.length * 2)
      grown.set(this.data)
      this.data = grown
    }
    const data = this.data
    const to = this.#length
    data[to] = kind
    data[to + 1] = at
    data[to + 2] = skip
    data[to + 3] = first
    data[to + 4] = second
    this.#length = to + STRIDE
  }

  // In range: callers count to `count`.
  kind(event: number): number {
    return this.data[event * STRIDE] as number
  }
  at(event: number): number {
    return this.data[event * STRIDE + 1] as number
  }
  skip(event: number): number {
    return this.data[event * STRIDE + 2] as number
  }
  first(event: number): number {
    return this.data[event * STRIDE + 3] as number
  }
  second(event: number): number {
    return this.data[event * STRIDE + 4] as number
  }
}
