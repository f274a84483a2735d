import { isValueType } from './body-scanner.ts'
import { refuse } from './errors.ts'
import type { ModuleContext } from './module-context.ts'
import { F32, F64, FUNCREF, I32, I64, V128 } from './opcodes.ts'
import type { ModuleReader } from './reader.ts'

/** A constant expression: where its bytes are, and what the rewriter must know of it. */
export interface ConstExpr {
  readonly start: number
  /** After the `end`. */
  readonly end: number
  /** The function it refers to, -1 for none. */
  readonly function: number
  /** Its value when it is a single `i32.const`, otherwise `null`. */
  readonly value: number | null
}

/** Instructions of one expression: a few in practice. */
const OPERANDS_MAX = 64

/**
 * Reads and checks a constant expression (Core 2.0, section 3.3.13, with the extended-const proposal) of type `expected`.
 *
 * @throws {@link InvalidModuleError} With the offset of what is wrong.
 */
export function readConstExpr(reader: ModuleReader, context: ModuleContext, expected: number): ConstExpr {
  const start = reader.at
  const operands: number[] = []
  let functionIndex = -1
  let value: number | null = null
  let count = 0
  for (;;) {
    const at = reader.at
    const opcode = reader.u8('constant expression')
    if (opcode === 0x0b) break
    count++
    value = null
    if (operands.length >= OPERANDS_MAX) refuse('constant expression height', at, operands.length, OPERANDS_MAX)
    if (opcode === 0x41) {
      value = reader.signed('constant', 32)
      operands.push(I32)
    } else if (opcode === 0xd2) {
      functionIndex = reader.index('function', context.functionTypes.length)
      context.declaredFunctions.add(functionIndex)
      operands.push(FUNCREF)
    } else if (isSum(opcode)) {
      context.features.add('extended-const')
      const type = opcode < 0x70 ? I32 : I64
      if (operands.pop() !== type || operands.at(-1) !== type) refuse('constant expression operand', at, opcode)
    } else operands.push(readOperand(reader, context, opcode, at))
  }
  const type = operands[0]
  if (operands.length !== 1 || type !== expected) {
    refuse(
      'constant expression type',
      start,
      type === undefined ? 'none' : `0x${type.toString(16)}`,
      `0x${expected.toString(16)}`,
    )
  }
  return { start, end: reader.at, function: functionIndex, value: count === 1 ? value : null }
}

/** i32 and i64 add, sub, mul. */
function isSum(opcode: number): boolean {
  return (opcode >= 0x6a && opcode <= 0x6c) || (opcode >= 0x7c && opcode <= 0x7e)
}

function readOperand(reader: ModuleReader, context: ModuleContext, opcode: number, at: number): number {
  switch (opcode) {
    case 0x42:
      reader.signed('constant', 64)
      return I64
    case 0x43:
      reader.skip('constant', 4)
      return F32
    case 0x44:
      reader.skip('constant', 8)
      return F64
    case 0x23: {
      const index = reader.index('global', context.globalTypes.length)
      if (context.globalMutable[index] !== false)
        refuse('global in constant expression', at, index, 'immutable globals')
      return context.globalTypes[index] as number // in range: just checked
    }
    case 0xd0: {
      const type = reader.u8('reference type')
      if (type !== FUNCREF && type !== 0x6f) refuse('reference type', at + 1, type)
      return type
    }
    case 0xfd:
      if (reader.u32('vector opcode') !== 12) refuse('constant expression', at, 'vector instruction')
      context.features.add('simd')
      reader.skip('vector immediate', 16)
      return V128
    default:
      return refuse('constant expression', at, `opcode 0x${opcode.toString(16)}`)
  }
}

export function readValueType(reader: ModuleReader, context: ModuleContext, field: string): number {
  const type = reader.u8(field)
  if (!isValueType(type)) refuse(field, reader.at - 1, `0x${type.toString(16)}`)
  if (type === V128) context.features.add('simd')
  if (type === FUNCREF || type === 0x6f) context.features.add('reference-types')
  return type
}
