import {
  BULK_BYTES_SHIFT,
  GAS_FIELD,
  GROW_PAGE_SHIFT,
  QUANTUM_GAS,
  QUANTUM_GUARD,
  STATE_ENDED,
  STATE_RUNNING,
  STATUS_HOST,
  STATUS_STACK,
} from './meter-layout.ts'
import type { FunctionType } from './module-context.ts'
import { I32 } from './opcodes.ts'
import { ModuleWriter } from './writer.ts'

/** Indices, in the prepared module, of what the helpers use. */
export interface HelperIndices {
  readonly stateGlobal: number
  readonly bankGlobal: number
  readonly statusGlobal: number
  readonly pagesGlobal: number
  readonly refill: number
  readonly spend: number
}

/** Writes WebAssembly text-like: each method one instruction. Only what the helpers need. */
class Code {
  readonly writer = new ModuleWriter(64)

  constructor(localsI32: number) {
    if (localsI32 === 0) this.writer.u8(0)
    else this.writer.code(1, localsI32, I32)
  }

  get(local: number): this {
    return this.#indexed(0x20, local)
  }
  set(local: number): this {
    return this.#indexed(0x21, local)
  }
  tee(local: number): this {
    return this.#indexed(0x22, local)
  }
  load(global: number): this {
    return this.#indexed(0x23, global)
  }
  store(global: number): this {
    return this.#indexed(0x24, global)
  }
  call(index: number): this {
    return this.#indexed(0x10, index)
  }
  constant(value: number): this {
    this.writer.u8(0x41)
    this.writer.s32(value)
    return this
  }
  op(...bytes: readonly number[]): this {
    this.writer.code(...bytes)
    return this
  }
  if(): this {
    return this.op(0x04, 0x40)
  }
  end(): this {
    return this.op(0x0b)
  }
  /** Ends the instance with `status`. */
  stop(status: number, globals: HelperIndices): this {
    return this.constant(status).store(globals.statusGlobal).op(0x00)
  }
  /** Takes a new quantum if the state in `local` has used one up. */
  settle(local: number, indices: HelperIndices): this {
    return this.get(local).constant(QUANTUM_GUARD).op(I32_AND).if().get(local).call(indices.refill).set(local).end()
  }

  #indexed(opcode: number, index: number): this {
    this.writer.u8(opcode)
    this.writer.u32(index)
    return this
  }
}

const I32_EQ = 0x46
const I32_LT_S = 0x48
const I32_GT_U = 0x4b
const I32_ADD = 0x6a
const I32_SUB = 0x6b
const I32_AND = 0x71
const I32_OR = 0x72
const I32_SHL = 0x74
const I32_SHR_U = 0x76
const MEMORY_SIZE = [0x3f, 0x00] as const
const MEMORY_GROW = [0x40, 0x00] as const

/** `(state) -> state`: the slow path of every test. Ends the instance if the stack or the gas is used up. */
export function refillBody(indices: HelperIndices): ModuleWriter {
  const code = new Code(1)
  code.get(0).constant(0).op(I32_LT_S).if()
  code.get(0).constant(GAS_FIELD).op(I32_AND).constant(STATE_ENDED).op(I32_OR).store(indices.stateGlobal)
  code.stop(STATUS_STACK, indices).end()
  code.load(indices.bankGlobal).constant(1).op(I32_SUB).tee(1).store(indices.bankGlobal)
  code.get(1).constant(0).op(I32_LT_S).if().op(0x00).end()
  return code.get(0).constant(QUANTUM_GAS).op(I32_SUB).end().writer
}

/** `(gas, state) -> state`: charges any amount, read as unsigned. */
export function spendBody(indices: HelperIndices): ModuleWriter {
  const code = new Code(1)
  code.settle(1, indices)
  code.get(0).constant(16).op(I32_SHR_U).tee(2).load(indices.bankGlobal).op(I32_GT_U).if()
  code.constant(-1).store(indices.bankGlobal).op(0x00).end()
  code.load(indices.bankGlobal).get(2).op(I32_SUB).store(indices.bankGlobal)
  code
    .get(1)
    .get(0)
    .constant(QUANTUM_GAS - 1)
    .op(I32_AND, I32_ADD)
    .set(1)
  return code.settle(1, indices).get(1).end().writer
}

/** `(length, state) -> (length, state)`: charges for the length that a bulk instruction is about to take. */
export function bulkBody(indices: HelperIndices, unit: 'bytes' | 'elements'): ModuleWriter {
  const code = new Code(0).get(0).get(0)
  if (unit === 'bytes') code.constant(BULK_BYTES_SHIFT).op(I32_SHR_U)
  return code.get(1).call(indices.spend).end().writer
}

/**
 * `(delta, state) -> (old size or -1, state)`: `memory.grow` within the run's own page limit. If the engine cannot give what
 * the limits allow, the instance ends with a status that says so, because the guest would see this host's poverty otherwise.
 */
export function memoryGrowBody(indices: HelperIndices): ModuleWriter {
  const code = new Code(1)
  code
    .get(0)
    .load(indices.pagesGlobal)
    .op(...MEMORY_SIZE, I32_SUB, I32_GT_U)
    .if()
  code.constant(-1).get(1).op(0x0f).end()
  code.get(0).constant(GROW_PAGE_SHIFT).op(I32_SHL).get(1).call(indices.spend).set(1)
  code
    .get(0)
    .op(...MEMORY_GROW)
    .tee(2)
    .constant(-1)
    .op(I32_EQ)
    .if()
    .stop(STATUS_HOST, indices)
    .end()
  return code.get(2).get(1).end().writer
}

/** The guest's side of an import: the state is put down where the host can charge it, and picked up again. */
export function importWrapperBody(indices: HelperIndices, type: FunctionType, target: number): ModuleWriter {
  const state = type.params.length
  const code = new Code(0).settle(state, indices).get(state).store(indices.stateGlobal)
  for (let param = 0; param < state; param++) code.get(param)
  code.call(target).load(indices.stateGlobal)
  return code.constant(STATE_RUNNING).store(indices.stateGlobal).end().writer
}

/** The host's side of an export: the guest's own signature around a function that passes the state. */
export function exportWrapperBody(indices: HelperIndices, type: FunctionType, target: number): ModuleWriter {
  const state = type.params.length
  const code = new Code(1)
  // An instance that is not started or has ended refuses: its state is negative, which the slow path takes for a full stack.
  code
    .load(indices.stateGlobal)
    .tee(state)
    .constant(0)
    .op(I32_LT_S)
    .if()
    .get(state)
    .call(indices.refill)
    .set(state)
    .end()
  for (let param = 0; param < state; param++) code.get(param)
  code.get(state).constant(STATE_RUNNING).store(indices.stateGlobal).call(target)
  return code.set(state).settle(state, indices).get(state).store(indices.stateGlobal).end().writer
}
