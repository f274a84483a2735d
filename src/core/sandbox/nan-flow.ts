import { F32, F64 } from './opcodes.ts'

/** A value whose bits the program fixed (loaded, passed in, reinterpreted): it must pass unchanged. */
export const NODE_RAW = -1
/** A value that is never a NaN with bits an engine chose, and that canonicalising would not change either. */
export const NODE_SAFE = -2

/** Where a class of values is canonicalised. */
export const PLACE_NOWHERE = 0
export const PLACE_AT_PRODUCER = 1
export const PLACE_AT_OBSERVER = 2

export const CANON_F32 = 0
export const CANON_F64 = 1
export const CANON_F32X4 = 2
export const CANON_F64X2 = 3

const ARITHMETIC = 1
const RAW = 2
const FORCED = 4
const PRODUCED_32 = 8
const PRODUCED_64 = 16
const CONSUMED_32 = 32
const CONSUMED_64 = 64

/**
 * Finds where the NaN bits of one function's arithmetic can be seen, and the cheapest place to make them canonical.
 *
 * WebAssembly leaves the sign and payload of a NaN that arithmetic returns to the engine (Core 2.0, section 4.3.3), and
 * everything else that touches bits is exact. So only arithmetic results need care, and only if their bits reach something
 * that shows them: a store, a reinterpretation, the sign read by `copysign`, a call, a result, a global, an integer SIMD
 * instruction. Values that may be the same bits (through locals, `select`, block results, `neg`) form one class (union-find).
 * A class whose bits are never shown is left alone. Otherwise it is canonicalised either right after each arithmetic
 * instruction, or right before each showing one: the latter only if no member's bits were fixed by the program, which must not
 * change, and if every showing instruction finds the value on top of the stack. The cheaper by loop depth wins.
 */
export class NanFlow {
  #parent = new Int32Array(1_024)
  #flags = new Uint8Array(1_024)
  #produced = new Float64Array(1_024)
  #observed = new Float64Array(1_024)
  #count = 0

  reset(): void {
    this.#count = 0
  }

  /** Starts a class with no members that matter yet. */
  node(): number {
    const node = this.#count++
    if (node === this.#parent.length) this.#grow()
    this.#parent[node] = node
    this.#flags[node] = 0
    this.#produced[node] = 0
    this.#observed[node] = 0
    return node
  }

  /** A new arithmetic result of lane width `lane` in code of loop weight `weight`. */
  producer(lane: number, weight: number): number {
    const node = this.node()
    this.#flags[node] = ARITHMETIC | (lane === 32 ? PRODUCED_32 : PRODUCED_64)
    this.#produced[node] = weight
    return node
  }

  /** The class of a value that is `a` or `b`. */
  join(a: number, b: number): number {
    if (a < 0) {
      if (b < 0) return a === NODE_RAW || b === NODE_RAW ? NODE_RAW : NODE_SAFE
      if (a === NODE_RAW) this.#mark(b, RAW)
      return b
    }
    if (b < 0) {
      if (b === NODE_RAW) this.#mark(a, RAW)
      return a
    }
    return this.#union(a, b)
  }

  /** `node` is read as floats of `lane` bits, which shows nothing unless its lanes have another width. */
  consume(node: number, lane: number): void {
    if (node >= 0) this.#mark(node, lane === 32 ? CONSUMED_32 : CONSUMED_64)
  }

  /** `node`'s bits are shown where it cannot be canonicalised on the way. */
  force(node: number): void {
    if (node >= 0) this.#mark(node, FORCED)
  }

  /** `node`'s bits are shown by an instruction that takes it from the top of the stack. */
  observe(node: number, weight: number): void {
    if (node >= 0) this.#observed[this.#find(node)] = (this.#observed[this.#find(node)] as number) + weight // in range
  }

  /** Where the class of `node` is canonicalised; to be asked once the whole function has been seen. */
  place(node: number): number {
    const root = this.#find(node)
    const flags = this.#flags[root] as number // in range: roots are nodes
    if ((flags & ARITHMETIC) === 0) return PLACE_NOWHERE
    const forced =
      (flags & FORCED) !== 0 ||
      ((flags & PRODUCED_32) !== 0 && (flags & (PRODUCED_64 | CONSUMED_64)) !== 0) ||
      ((flags & PRODUCED_64) !== 0 && (flags & CONSUMED_32) !== 0)
    if (forced) return PLACE_AT_PRODUCER
    const observed = this.#observed[root] as number
    if (observed === 0) return PLACE_NOWHERE
    if ((flags & RAW) !== 0) return PLACE_AT_PRODUCER
    return observed <= (this.#produced[root] as number) ? PLACE_AT_OBSERVER : PLACE_AT_PRODUCER
  }

  /** How to canonicalise a value of class `node` and type `type` (its lanes follow from the class when it is v128). */
  canon(node: number, type: number): number {
    if (type === F32) return CANON_F32
    if (type === F64) return CANON_F64
    return ((this.#flags[this.#find(node)] as number) & PRODUCED_32) !== 0 ? CANON_F32X4 : CANON_F64X2
  }

  #mark(node: number, flag: number): void {
    const root = this.#find(node)
    this.#flags[root] = (this.#flags[root] as number) | flag
  }

  #find(node: number): number {
    const parent = this.#parent
    let at = node
    // Path halving: every second link is shortened, so that long chains stay cheap.
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number
      at = parent[at] as number
    }
    return at
  }

  #union(a: number, b: number): number {
    const first = this.#find(a)
    const second = this.#find(b)
    if (first === second) return first
    const root = Math.min(first, second)
    const child = Math.max(first, second)
    this.#parent[child] = root
    this.#flags[root] = (this.#flags[root] as number) | (this.#flags[child] as number)
    this.#produced[root] = (this.#produced[root] as number) + (this.#produced[child] as number)
    this.#observed[root] = (this.#observed[root] as number) + (this.#observed[child] as number)
    return root
  }

  #grow(): void {
    const size = this.#parent.length * 2
    const parent = new Int32Array(size)
    parent.set(this.#parent)
    this.#parent = parent
    const flags = new Uint8Array(size)
    flags.set(this.#flags)
    this.#flags = flags
    const produced = new Float64Array(size)
    produced.set(this.#produced)
    this.#produced = produced
    const observed = new Float64Array(size)
    observed.set(this.#observed)
    this.#observed = observed
  }
}
