import {
  body,
  EMPTY_BLOCK,
  F32,
  F64,
  FUNCREF,
  functionType,
  I32,
  I64,
  i32,
  leb,
  moduleOf,
  repeat,
  V128,
} from './module-bytes.ts'

/** Floats are stored below this address, integers from it on. */
export const FLOATS_END = 1_024
const FLOAT32_START = 512

const TYPES = [
  { params: [I32, F64], results: [F64] },
  { params: [I32], results: [I32] },
  { params: [F32, I64, F64], results: [F32, I64] },
  { params: [], results: [] },
  { params: [V128, F64], results: [V128] },
] as const

const LOCALS = [I32, I32, I64, F32, F64, F64, V128, V128] as const
const FUNCTIONS = 6
const LOOP_TURNS_MAX = 5

/**
 * A valid module made from a seed, that ends: calls go only to functions with a higher number and loops count.
 *
 * It computes with NaNs of every origin and moves them through locals, calls, blocks, globals and memory, but neither changes
 * their sign nor looks at their bits as integers. So the original and the prepared module must agree on everything but the NaN
 * bits among the floats in memory, and there the prepared one must have nothing but canonical NaNs.
 */
export function randomProgram(seed: number): Uint8Array<ArrayBuffer> {
  const random = new Random(seed)
  const code = Array.from({ length: FUNCTIONS }, (_, index) => new FunctionMaker(random, index).make())
  return moduleOf({
    types: [functionType([], []), ...TYPES.map(({ params, results }) => functionType(params, results))],
    functions: Array.from({ length: FUNCTIONS }, (_, index) => typeOf(index)),
    tables: [[FUNCREF, 0, FUNCTIONS]],
    memories: [[0, 1]],
    globals: [
      [F64, 1, 0x44, ...repeat(8, [0]), 0x0b],
      [I32, 1, ...i32(7), 0x0b],
    ],
    exports: [
      ['run', 0, 0],
      ['memory', 2, 0],
    ],
    elements: [[0, 0x41, 0, 0x0b, ...leb(FUNCTIONS), ...Array.from({ length: FUNCTIONS }, (_, i) => i)]],
    code,
  })
}

/** Function 0 takes and gives nothing; the others go round the types. */
function typeOf(index: number): number {
  return index === 0 ? 0 : 1 + ((index - 1) % TYPES.length)
}

function signatureOf(index: number): { params: readonly number[]; results: readonly number[] } {
  return index === 0 ? { params: [], results: [] } : (TYPES[(index - 1) % TYPES.length] as (typeof TYPES)[number]) // in range
}

/** Mulberry32: small, seeded, good enough to choose branches. */
class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 0
  }
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T // in range
  }
}

class FunctionMaker {
  readonly #random: Random
  readonly #index: number
  readonly #types: readonly number[]
  readonly #results: readonly number[]
  /** First of the locals that count loops; one for each nesting depth. */
  readonly #counters: number
  /** Results of the open blocks, outermost first. */
  readonly #labels: (readonly number[])[] = []
  #loops = 0
  #size = 0

  constructor(random: Random, index: number) {
    this.#random = random
    this.#index = index
    const { params, results } = signatureOf(index)
    this.#results = results
    this.#types = [...params, ...LOCALS]
    this.#counters = this.#types.length
  }

  make(): readonly number[] {
    this.#labels.push(this.#results)
    const statements = this.#statements(4)
    const tail = this.#results.flatMap((type) => this.#expression(type, 3))
    return body([...statements, ...tail], [...LOCALS.map((type) => [1, type] as const), [4, I32]])
  }

  #statements(depth: number): number[] {
    const out: number[] = []
    const count = 1 + this.#random.below(5)
    for (let i = 0; i < count && this.#size < 600; i++) out.push(...this.#statement(depth))
    return out
  }

  #statement(depth: number): readonly number[] {
    this.#size++
    const kind = this.#random.below(depth > 0 ? 12 : 5)
    if (kind <= 1) return this.#set()
    if (kind <= 3) return this.#store()
    if (kind === 4) return this.#call()
    if (kind === 5) return this.#if(depth)
    if (kind <= 7) return this.#loop(depth)
    if (kind === 8) return this.#block(depth)
    if (kind === 9) return this.#switch(depth)
    if (kind === 10) return this.#random.below(6) === 0 ? this.#leave() : this.#set()
    return this.#branchIf()
  }

  #set(): readonly number[] {
    if (this.#random.below(6) === 0) return [...this.#expression(F64, 3), 0x24, 0]
    const local = this.#random.below(this.#types.length)
    return [...this.#expression(this.#types[local] as number, 4), 0x21, ...leb(local)] // in range
  }

  #store(): readonly number[] {
    switch (this.#random.below(5)) {
      case 0:
        return [...i32(8 * this.#random.below(FLOAT32_START / 8)), ...this.#expression(F64, 4), 0x39, 3, 0]
      case 1:
        return [...i32(FLOAT32_START + 4 * this.#random.below(128)), ...this.#expression(F32, 4), 0x38, 2, 0]
      case 2:
        return [...i32(FLOATS_END + 4 * this.#random.below(256)), ...this.#expression(I32, 4), 0x36, 2, 0]
      case 3:
        return [...i32(16 * this.#random.below(FLOAT32_START / 16)), ...this.#expression(V128, 4), 0xfd, 11, 4, 0]
      default:
        return [...i32(FLOATS_END + 8 * this.#random.below(128)), ...this.#expression(I64, 4), 0x37, 3, 0]
    }
  }

  #call(): readonly number[] {
    if (this.#index >= FUNCTIONS - 1) return [0x01]
    const callee = this.#index + 1 + this.#random.below(FUNCTIONS - 1 - this.#index)
    const { params, results } = signatureOf(callee)
    const args = params.flatMap((type) => this.#expression(type, 3))
    const call = this.#random.below(2) === 0 ? [0x10, callee] : [...i32(callee), 0x11, typeOf(callee), 0]
    // A call through the table may name a type that several functions share: the table index decides.
    return [...args, ...call, ...results.toReversed().flatMap((type) => this.#sink(type))]
  }

  /** Takes a value from the stack into a local of its type, or drops it. */
  #sink(type: number): readonly number[] {
    const fitting = this.#localsOf(type)
    return fitting.length === 0 || this.#random.below(4) === 0 ? [0x1a] : [0x21, ...leb(this.#random.pick(fitting))]
  }

  #if(depth: number): readonly number[] {
    const type = this.#random.pick([0, I32, F64, F32])
    this.#labels.push(type === 0 ? [] : [type])
    const condition = this.#condition()
    const value = (): readonly number[] => (type === 0 ? [] : this.#expression(type, 3))
    const then = [...this.#statements(depth - 1), ...value()]
    const otherwise =
      type !== 0 || this.#random.below(2) === 0 ? [0x05, ...this.#statements(depth - 1), ...value()] : []
    this.#labels.pop()
    return [
      ...condition,
      0x04,
      type === 0 ? EMPTY_BLOCK : type,
      ...then,
      ...otherwise,
      0x0b,
      ...(type === 0 ? [] : this.#sink(type)),
    ]
  }

  #loop(depth: number): readonly number[] {
    if (this.#loops >= 4) return [0x01]
    const counter = leb(this.#counters + this.#loops++)
    this.#labels.push([], [])
    const inside = this.#statements(depth - 1)
    this.#labels.length -= 2
    this.#loops--
    const turns = 1 + this.#random.below(LOOP_TURNS_MAX)
    const again = [0x20, ...counter, ...i32(1), 0x6a, 0x22, ...counter, ...i32(turns), 0x48]
    const head = [...i32(0), 0x21, ...counter, 0x02, EMPTY_BLOCK, 0x03, EMPTY_BLOCK]
    // Half test at the end, half at the start, as compilers do both. Jumping to the label of the loop is left to these.
    if (this.#random.below(2) === 0) return [...head, ...inside, ...again, 0x0d, 0, 0x0b, 0x0b]
    return [...head, ...again, 0x45, 0x0d, 1, ...inside, 0x0c, 0, 0x0b, 0x0b]
  }

  #block(depth: number): readonly number[] {
    const type = this.#random.pick([0, I64, F64, V128])
    this.#labels.push(type === 0 ? [] : [type])
    const inside = [...this.#statements(depth - 1), ...(type === 0 ? [] : this.#expression(type, 3))]
    this.#labels.pop()
    return [0x02, type === 0 ? EMPTY_BLOCK : type, ...inside, 0x0b, ...(type === 0 ? [] : this.#sink(type))]
  }

  #switch(depth: number): readonly number[] {
    this.#labels.push([], [], [])
    const cases = 3
    const head = [...repeat(cases, [0x02, EMPTY_BLOCK]), ...this.#expression(I32, 3), 0x0e, 2, 0, 1, 2]
    const out: number[] = [...head]
    for (let i = 0; i < cases; i++) {
      this.#labels.pop()
      out.push(0x0b, ...(i < cases - 1 ? this.#statements(depth - 1) : []))
    }
    return out
  }

  /** Jumps out, from the middle of the block, leaving code that is never reached. */
  #leave(): readonly number[] {
    const values = this.#results.flatMap((type) => this.#expression(type, 2))
    return this.#random.below(2) === 0 ? [...values, 0x0f] : [...values, 0x0c, ...leb(this.#labels.length - 1)]
  }

  /** A conditional jump to any label; labels of loops, which come in pairs with a block's, count as the block's. */
  #branchIf(): readonly number[] {
    const at = this.#random.below(this.#labels.length)
    const types = this.#labels[at] as readonly number[] // in range
    const label = this.#labels.length - 1 - at
    const loop = types.length === 0 && this.#labels[at - 1]?.length === 0
    if (loop && this.#random.below(2) === 0) return [0x01]
    const values = types.flatMap((type) => this.#expression(type, 2))
    return [...values, ...this.#condition(), 0x0d, ...leb(label), ...repeat(types.length, [0x1a])]
  }

  #condition(): readonly number[] {
    switch (this.#random.below(3)) {
      case 0:
        return [...this.#expression(F64, 2), ...this.#expression(F64, 2), this.#random.pick([0x61, 0x62, 0x63, 0x66])]
      case 1:
        return [...this.#expression(F32, 2), ...this.#expression(F32, 2), this.#random.pick([0x5b, 0x5d, 0x60])]
      default:
        return [...this.#expression(I32, 2), ...i32(1), 0x71]
    }
  }

  #localsOf(type: number): number[] {
    return this.#types.flatMap((local, index) => (local === type ? [index] : []))
  }

  #expression(type: number, depth: number): readonly number[] {
    this.#size++
    const locals = this.#localsOf(type)
    if (depth === 0 || this.#random.below(4) === 0) {
      return locals.length > 0 && this.#random.below(3) > 0
        ? [0x20, ...leb(this.#random.pick(locals))]
        : this.#constant(type)
    }
    if (locals.length > 0 && this.#random.below(8) === 0) {
      return [...this.#expression(type, depth - 1), 0x22, ...leb(this.#random.pick(locals))]
    }
    if (type !== V128 && this.#random.below(8) === 0) {
      const both = [...this.#expression(type, depth - 1), ...this.#expression(type, depth - 1)]
      return [...both, ...this.#expression(I32, depth - 1), 0x1b]
    }
    const two = (from: number, opcodes: readonly number[]): readonly number[] => [
      ...this.#expression(from, depth - 1),
      ...this.#expression(from, depth - 1),
      this.#random.pick(opcodes),
    ]
    switch (type) {
      case I32:
        return this.#random.below(4) === 0
          ? this.#truncated(depth)
          : two(I32, [0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76, 0x46, 0x4b])
      case I64:
        return two(I64, [0x7c, 0x7d, 0x7e, 0x83, 0x85, 0x86])
      case F32:
        return this.#float32(depth, two)
      case F64:
        return this.#float64(depth, two)
      default:
        return this.#vector(depth)
    }
  }

  #truncated(depth: number): readonly number[] {
    return [...this.#expression(F64, depth - 1), 0xfc, this.#random.pick([2, 3])]
  }

  #float32(depth: number, two: (from: number, opcodes: readonly number[]) => readonly number[]): readonly number[] {
    const kind = this.#random.below(8)
    if (kind === 0) return [...this.#expression(F64, depth - 1), 0xb6]
    if (kind === 1) return [...this.#expression(I32, depth - 1), 0xb2]
    if (kind === 2) return [...i32(FLOAT32_START + 4 * this.#random.below(128)), 0x2a, 2, 0]
    if (kind === 3) return [...this.#expression(F32, depth - 1), this.#random.pick([0x8d, 0x8e, 0x8f, 0x90, 0x91])]
    return two(F32, [0x92, 0x93, 0x94, 0x95, 0x96, 0x97])
  }

  #float64(depth: number, two: (from: number, opcodes: readonly number[]) => readonly number[]): readonly number[] {
    const kind = this.#random.below(10)
    if (kind === 0) return [...this.#expression(F32, depth - 1), 0xbb]
    if (kind === 1) return [...this.#expression(I64, depth - 1), 0xb9]
    if (kind === 2) return [...i32(8 * this.#random.below(FLOAT32_START / 8)), 0x2b, 3, 0]
    if (kind === 3) return [...this.#expression(F64, depth - 1), this.#random.pick([0x9b, 0x9c, 0x9d, 0x9e, 0x9f])]
    if (kind === 4) return [0x23, 0]
    if (kind === 5) return [...this.#expression(V128, depth - 1), 0xfd, 33, this.#random.below(2)]
    return two(F64, [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5])
  }

  /** Vectors of two doubles throughout, so that memory holds nothing else. */
  #vector(depth: number): readonly number[] {
    const kind = this.#random.below(6)
    if (kind === 0) return [...this.#expression(F64, depth - 1), 0xfd, 20]
    if (kind === 1) return [...i32(16 * this.#random.below(FLOAT32_START / 16)), 0xfd, 0, 4, 0]
    if (kind === 2)
      return [
        ...this.#expression(V128, depth - 1),
        ...this.#expression(F64, depth - 1),
        0xfd,
        34,
        this.#random.below(2),
      ]
    if (kind === 3)
      return [...this.#expression(V128, depth - 1), 0xfd, ...leb(this.#random.pick([116, 117, 122, 148, 239]))]
    const both = [...this.#expression(V128, depth - 1), ...this.#expression(V128, depth - 1)]
    return [...both, 0xfd, ...leb(this.#random.pick([240, 241, 242, 243, 244, 245, 246, 247]))]
  }

  #constant(type: number): readonly number[] {
    const special = this.#random.below(4)
    switch (type) {
      case I32:
        return i32(this.#random.below(1_000) - 500)
      case I64:
        return [0x42, ...i32(this.#random.below(1_000) - 500).slice(1)]
      case F32:
        return [
          0x43,
          0,
          0,
          ...this.#random.pick([
            [0, 0],
            [0x80, 0x7f],
            [0x80, 0xff],
            [0x80, 0x3f],
            [0x40, 0xc0],
          ]),
        ]
      case F64:
        // Zero, infinities, one, and an odd number: NaNs come of the first three soon enough.
        return [
          0x44,
          0,
          0,
          0,
          0,
          0,
          special,
          ...this.#random.pick([
            [0, 0],
            [0xf0, 0x7f],
            [0xf0, 0xff],
            [0xf0, 0x3f],
            [0x37, 0xc0],
          ]),
        ].with(6, 0)
      default:
        return [...this.#constant(F64), 0xfd, 20]
    }
  }
}
