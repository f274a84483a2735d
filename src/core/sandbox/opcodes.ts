/**
 * What the rewriter knows of each plain instruction: operand and result types, gas, and how NaN bits travel through it.
 *
 * Source: WebAssembly Core 2.0, sections 5.4 (opcodes) and 3.3 (types). Tables are indexed by opcode, or by the number after
 * the 0xFD prefix for SIMD, so that scanning a body costs array reads and no objects.
 */

export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c
export const V128 = 0x7b
export const FUNCREF = 0x70
export const EXTERNREF = 0x6f
/** A value popped in unreachable code: fits every type. */
export const ANY = 0

/** How the result's NaN bits come about; see `nan-flow.ts`. */
export const FLOW_NONE = 0
/** Rounded arithmetic: a NaN result has bits the engine chose. */
export const FLOW_ARITHMETIC = 1
/** The result carries the bits of the first operand (`abs`, `neg`, `copysign`). */
export const FLOW_SAME = 2
/** The result's bits are a fixed function of bits that are not followed (loads, `reinterpret`). */
export const FLOW_RAW = 3
/** The result carries the bits of one of the operands (`pmin`, `replace_lane`). */
export const FLOW_EITHER = 4

/** Gas of an instruction that a processor does in about a cycle. */
export const GAS_PLAIN = 1
/** Division and square root: 10 to 40 cycles on current processors. */
const GAS_DIVISION = 8
/** Direct call: passing state, the frame, the return. */
export const GAS_CALL = 4
/** Indirect call: bounds, null and signature checks besides. */
export const GAS_CALL_INDIRECT = 8
/** Entering a bulk or growing instruction; its length is charged on top. */
export const GAS_BULK = 16

const TYPE_OF: Readonly<Record<string, number>> = { i: I32, I: I64, f: F32, F: F64, v: V128 }

export interface OpcodeTable {
  /** 1 where the opcode exists. */
  readonly known: Uint8Array
  readonly first: Uint8Array
  readonly second: Uint8Array
  readonly third: Uint8Array
  readonly result: Uint8Array
  readonly flow: Uint8Array
  readonly gas: Uint8Array
  /** Float lane width the operands are read as: 32, 64, or 0 when the operands' bits themselves are read. */
  readonly lane: Uint8Array
  /** Immediates: see `IMMEDIATE_*`. */
  readonly immediate: Uint8Array
  /** Largest alignment exponent of a memory access, or number of lanes. */
  readonly bound: Uint8Array
}

export const IMMEDIATE_NONE = 0
export const IMMEDIATE_MEMORY = 1
export const IMMEDIATE_LANE = 2
export const IMMEDIATE_MEMORY_LANE = 3
export const IMMEDIATE_BYTES16 = 4

function emptyTable(): OpcodeTable {
  const column = () => new Uint8Array(256)
  return {
    known: column(),
    first: column(),
    second: column(),
    third: column(),
    result: column(),
    flow: column(),
    gas: column(),
    lane: column(),
    immediate: column(),
    bound: column(),
  }
}

interface Entry {
  readonly flow?: number
  readonly gas?: number
  readonly lane?: number
  readonly immediate?: number
  readonly bound?: number
}

/** Enters opcodes `from`..`to` with one signature: operand letters, `:`, result letter. */
function enter(table: OpcodeTable, from: number, to: number, signature: string, entry: Entry = {}): void {
  const [operands = '', result = ''] = signature.split(':')
  for (let opcode = from; opcode <= to; opcode++) {
    table.known[opcode] = 1
    table.first[opcode] = TYPE_OF[operands[0] ?? ''] ?? 0
    table.second[opcode] = TYPE_OF[operands[1] ?? ''] ?? 0
    table.third[opcode] = TYPE_OF[operands[2] ?? ''] ?? 0
    table.result[opcode] = TYPE_OF[result] ?? 0
    table.flow[opcode] = entry.flow ?? FLOW_NONE
    table.gas[opcode] = entry.gas ?? GAS_PLAIN
    table.lane[opcode] = entry.lane ?? 0
    table.immediate[opcode] = entry.immediate ?? IMMEDIATE_NONE
    table.bound[opcode] = entry.bound ?? 0
  }
}

function enterFloats(table: OpcodeTable, at: number, letter: string, lane: number): void {
  const one = `${letter}:${letter}`
  const two = `${letter}${letter}:${letter}`
  enter(table, at, at + 1, one, { flow: FLOW_SAME, lane }) // abs, neg
  enter(table, at + 2, at + 5, one, { flow: FLOW_ARITHMETIC, lane }) // ceil, floor, trunc, nearest
  enter(table, at + 6, at + 6, one, { flow: FLOW_ARITHMETIC, lane, gas: GAS_DIVISION }) // sqrt
  enter(table, at + 7, at + 9, two, { flow: FLOW_ARITHMETIC, lane }) // add, sub, mul
  enter(table, at + 10, at + 10, two, { flow: FLOW_ARITHMETIC, lane, gas: GAS_DIVISION }) // div
  enter(table, at + 11, at + 12, two, { flow: FLOW_ARITHMETIC, lane }) // min, max
  enter(table, at + 13, at + 13, two, { flow: FLOW_SAME, lane }) // copysign
}

function enterMemory(table: OpcodeTable, from: number, to: number, signature: string, alignment: number): void {
  enter(table, from, to, signature, { immediate: IMMEDIATE_MEMORY, bound: alignment, flow: FLOW_RAW })
}

function buildPlain(): OpcodeTable {
  const table = emptyTable()
  enterMemory(table, 0x28, 0x28, 'i:i', 2)
  enterMemory(table, 0x29, 0x29, 'i:I', 3)
  enterMemory(table, 0x2a, 0x2a, 'i:f', 2)
  enterMemory(table, 0x2b, 0x2b, 'i:F', 3)
  enterMemory(table, 0x2c, 0x2d, 'i:i', 0)
  enterMemory(table, 0x2e, 0x2f, 'i:i', 1)
  enterMemory(table, 0x30, 0x31, 'i:I', 0)
  enterMemory(table, 0x32, 0x33, 'i:I', 1)
  enterMemory(table, 0x34, 0x35, 'i:I', 2)
  enterMemory(table, 0x36, 0x36, 'ii:', 2)
  enterMemory(table, 0x37, 0x37, 'iI:', 3)
  enterMemory(table, 0x38, 0x38, 'if:', 2)
  enterMemory(table, 0x39, 0x39, 'iF:', 3)
  enterMemory(table, 0x3a, 0x3a, 'ii:', 0)
  enterMemory(table, 0x3b, 0x3b, 'ii:', 1)
  enterMemory(table, 0x3c, 0x3c, 'iI:', 0)
  enterMemory(table, 0x3d, 0x3d, 'iI:', 1)
  enterMemory(table, 0x3e, 0x3e, 'iI:', 2)
  enter(table, 0x45, 0x45, 'i:i')
  enter(table, 0x46, 0x4f, 'ii:i')
  enter(table, 0x50, 0x50, 'I:i')
  enter(table, 0x51, 0x5a, 'II:i')
  enter(table, 0x5b, 0x60, 'ff:i', { lane: 32 })
  enter(table, 0x61, 0x66, 'FF:i', { lane: 64 })
  enter(table, 0x67, 0x69, 'i:i')
  enter(table, 0x6a, 0x6c, 'ii:i')
  enter(table, 0x6d, 0x70, 'ii:i', { gas: GAS_DIVISION })
  enter(table, 0x71, 0x78, 'ii:i')
  enter(table, 0x79, 0x7b, 'I:I')
  enter(table, 0x7c, 0x7e, 'II:I')
  enter(table, 0x7f, 0x82, 'II:I', { gas: GAS_DIVISION })
  enter(table, 0x83, 0x8a, 'II:I')
  enterFloats(table, 0x8b, 'f', 32)
  enterFloats(table, 0x99, 'F', 64)
  enter(table, 0xa7, 0xa7, 'I:i')
  enter(table, 0xa8, 0xa9, 'f:i', { lane: 32 })
  enter(table, 0xaa, 0xab, 'F:i', { lane: 64 })
  enter(table, 0xac, 0xad, 'i:I')
  enter(table, 0xae, 0xaf, 'f:I', { lane: 32 })
  enter(table, 0xb0, 0xb1, 'F:I', { lane: 64 })
  enter(table, 0xb2, 0xb3, 'i:f')
  enter(table, 0xb4, 0xb5, 'I:f')
  enter(table, 0xb6, 0xb6, 'F:f', { flow: FLOW_ARITHMETIC, lane: 64 })
  enter(table, 0xb7, 0xb8, 'i:F')
  enter(table, 0xb9, 0xba, 'I:F')
  enter(table, 0xbb, 0xbb, 'f:F', { flow: FLOW_ARITHMETIC, lane: 32 })
  enter(table, 0xbc, 0xbc, 'f:i')
  enter(table, 0xbd, 0xbd, 'F:I')
  enter(table, 0xbe, 0xbe, 'i:f', { flow: FLOW_RAW })
  enter(table, 0xbf, 0xbf, 'I:F', { flow: FLOW_RAW })
  enter(table, 0xc0, 0xc1, 'i:i')
  enter(table, 0xc2, 0xc4, 'I:I')
  return table
}

function buildSimd(): OpcodeTable {
  const table = emptyTable()
  const raw = { flow: FLOW_RAW }
  const enterAll = (opcodes: readonly number[], signature: string): void => {
    for (const opcode of opcodes) enter(table, opcode, opcode, signature, raw)
  }
  enterSimdMemory(table)
  enter(table, 12, 12, ':v', { immediate: IMMEDIATE_BYTES16, flow: FLOW_RAW })
  enter(table, 13, 13, 'vv:v', { immediate: IMMEDIATE_BYTES16, flow: FLOW_RAW, bound: 32 })
  enter(table, 14, 14, 'vv:v', raw)
  enter(table, 15, 17, 'i:v', raw)
  enter(table, 18, 18, 'I:v', raw)
  enter(table, 19, 19, 'f:v', { flow: FLOW_SAME, lane: 32 })
  enter(table, 20, 20, 'F:v', { flow: FLOW_SAME, lane: 64 })
  enterSimdLanes(table)
  enter(table, 35, 64, 'vv:v', raw)
  enter(table, 65, 70, 'vv:v', { flow: FLOW_RAW, lane: 32 })
  enter(table, 71, 76, 'vv:v', { flow: FLOW_RAW, lane: 64 })
  enter(table, 77, 77, 'v:v', raw)
  enter(table, 78, 81, 'vv:v', raw)
  enter(table, 82, 82, 'vvv:v', raw)
  enter(table, 83, 83, 'v:i')
  enterAll([96, 97, 98, 124, 125, 126, 127, 128, 129, 135, 136, 137, 138, 160, 161, 167, 168, 169, 170], 'v:v')
  enterAll([192, 193, 199, 200, 201, 202], 'v:v')
  enterAll([99, 100, 131, 132, 163, 164, 195, 196], 'v:i')
  enterAll([107, 108, 109, 139, 140, 141, 171, 172, 173, 203, 204, 205], 'vi:v')
  enterAll([101, 102, 130, 133, 134, 174, 177, 186, 206, 209], 'vv:v')
  for (const [from, to] of [
    [110, 115],
    [118, 121],
    [123, 123],
    [142, 147],
    [149, 153],
    [155, 159],
    [181, 185],
    [188, 191],
    [213, 223],
  ] as const) {
    enter(table, from, to, 'vv:v', raw)
  }
  enterSimdFloats(table)
  return table
}

function enterSimdMemory(table: OpcodeTable): void {
  enterMemory(table, 0, 0, 'i:v', 4)
  enterMemory(table, 1, 6, 'i:v', 3)
  for (let width = 0; width < 4; width++) {
    enterMemory(table, 7 + width, 7 + width, 'i:v', width)
    const lane = { immediate: IMMEDIATE_MEMORY_LANE, bound: width, flow: FLOW_RAW }
    enter(table, 84 + width, 84 + width, 'iv:v', lane)
    enter(table, 88 + width, 88 + width, 'iv:', lane)
  }
  enterMemory(table, 11, 11, 'iv:', 4)
  enterMemory(table, 92, 92, 'i:v', 2)
  enterMemory(table, 93, 93, 'i:v', 3)
}

function enterSimdLanes(table: OpcodeTable): void {
  const lane = (bound: number, flow: number, width = 0) => ({ immediate: IMMEDIATE_LANE, bound, flow, lane: width })
  enter(table, 21, 22, 'v:i', lane(16, FLOW_RAW))
  enter(table, 23, 23, 'vi:v', lane(16, FLOW_RAW))
  enter(table, 24, 25, 'v:i', lane(8, FLOW_RAW))
  enter(table, 26, 26, 'vi:v', lane(8, FLOW_RAW))
  enter(table, 27, 27, 'v:i', lane(4, FLOW_RAW))
  enter(table, 28, 28, 'vi:v', lane(4, FLOW_RAW))
  enter(table, 29, 29, 'v:I', lane(2, FLOW_RAW))
  enter(table, 30, 30, 'vI:v', lane(2, FLOW_RAW))
  enter(table, 31, 31, 'v:f', lane(4, FLOW_SAME, 32))
  enter(table, 32, 32, 'vf:v', lane(4, FLOW_EITHER, 32))
  enter(table, 33, 33, 'v:F', lane(2, FLOW_SAME, 64))
  enter(table, 34, 34, 'vF:v', lane(2, FLOW_EITHER, 64))
}

function enterSimdFloats(table: OpcodeTable): void {
  for (const [lane, absolute, roundings] of [
    [32, 224, [103, 104, 105, 106]],
    [64, 236, [116, 117, 122, 148]],
  ] as const) {
    const arithmetic = { flow: FLOW_ARITHMETIC, lane }
    const slow = { flow: FLOW_ARITHMETIC, lane, gas: GAS_DIVISION }
    for (const opcode of roundings) enter(table, opcode, opcode, 'v:v', arithmetic)
    enter(table, absolute, absolute + 1, 'v:v', { flow: FLOW_SAME, lane })
    enter(table, absolute + 3, absolute + 3, 'v:v', slow) // sqrt
    enter(table, absolute + 4, absolute + 6, 'vv:v', arithmetic)
    enter(table, absolute + 7, absolute + 7, 'vv:v', slow) // div
    enter(table, absolute + 8, absolute + 9, 'vv:v', arithmetic)
    enter(table, absolute + 10, absolute + 11, 'vv:v', { flow: FLOW_EITHER, lane }) // pmin, pmax
  }
  enter(table, 94, 94, 'v:v', { flow: FLOW_ARITHMETIC, lane: 64 }) // demote
  enter(table, 95, 95, 'v:v', { flow: FLOW_ARITHMETIC, lane: 32 }) // promote
  enter(table, 248, 249, 'v:v', { flow: FLOW_RAW, lane: 32 })
  enter(table, 250, 251, 'v:v', { flow: FLOW_RAW })
  enter(table, 252, 253, 'v:v', { flow: FLOW_RAW, lane: 64 })
  enter(table, 254, 255, 'v:v', { flow: FLOW_RAW })
}

export const PLAIN: OpcodeTable = buildPlain()
export const SIMD: OpcodeTable = buildSimd()
