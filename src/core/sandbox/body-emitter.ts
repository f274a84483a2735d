import type { BodyScanner } from './body-scanner.ts'
import { CELL_ENTRY } from './charge-cells.ts'
import {
  EVENT_BULK_BYTES,
  EVENT_BULK_ELEMENTS,
  EVENT_CALL,
  EVENT_CALL_INDIRECT,
  EVENT_CHARGE,
  EVENT_LOCAL,
  EVENT_MEMORY_GROW,
  EVENT_OBSERVED,
  EVENT_PRODUCED,
  EVENT_REF_FUNC,
  EVENT_RETURN,
  EVENT_RETURN_CALL,
  EVENT_RETURN_CALL_INDIRECT,
  EVENT_UNREACHABLE,
} from './event-list.ts'
import { frameBytes, frameUnits, LEAF_RESERVE_BYTES } from './frame.ts'
import { BOTH_GUARDS, DEPTH_SHIFT, QUANTUM_GAS, QUANTUM_GUARD, STATE_ENDED } from './meter-layout.ts'
import { innerFunction, type Layout, type ModuleContext } from './module-context.ts'
import { CANON_F32, CANON_F32X4, CANON_F64, CANON_F64X2, PLACE_AT_OBSERVER, PLACE_AT_PRODUCER } from './nan-flow.ts'
import { F32, F64, I32, V128 } from './opcodes.ts'
import type { ModuleWriter } from './writer.ts'

/** Opcodes that insertions are made of. */
const OP = {
  unreachable: 0x00,
  block: 0x02,
  if: 0x04,
  end: 0x0b,
  br: 0x0c,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  f32Const: 0x43,
  f64Const: 0x44,
  f32Ge: 0x60,
  f64Ge: 0x66,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  refFunc: 0xd2,
  simd: 0xfd,
} as const

const BLOCK_EMPTY = 0x40
const SIMD_F32X4_GE = 70
const SIMD_F64X2_GE = 76
const SIMD_BITSELECT = 82

/** Types of the scratch locals, in the order of the `CANON_*` codes; the v128 one serves both lane widths. */
const CANON_TYPES = [F32, F64, V128, V128] as const

/**
 * Writes the rewritten body of the function that a scanner has just read: its instructions copied in spans, with the scanner's
 * events worked in between. Labels keep their numbers, because what is put around the body is put outside its own label.
 */
export class BodyEmitter {
  readonly #context: ModuleContext
  readonly #layout: Layout
  readonly #bytes: Uint8Array
  readonly #scanner: BodyScanner
  #writer: ModuleWriter
  /** Local that holds the state; locals after it are scratch, -1 when the body needs none of that kind. */
  #state = 0
  #movedLocal = 0
  /** The state and the scratch locals, which take slots of the frame too. */
  #addedLocals = 0
  #scratch = -1
  readonly #canonScratch = new Int32Array(4)
  /** Locals that hold the vector NaNs of both lane widths, -1 where not needed. */
  readonly #vectorNan = new Int32Array(2)
  /** Depth units of this frame as they are added to the state; 0 for leaves. */
  #depth = 0

  constructor(context: ModuleContext, layout: Layout, bytes: Uint8Array, scanner: BodyScanner, writer: ModuleWriter) {
    this.#context = context
    this.#layout = layout
    this.#bytes = bytes
    this.#scanner = scanner
    this.#writer = writer
  }

  /** Appends the body, without its length, to the writer. */
  emit(): void {
    const scanner = this.#scanner
    this.#emitLocals()
    const slots = scanner.slots + this.#addedLocals
    const counted = scanner.calls || frameBytes(slots) > LEAF_RESERVE_BYTES
    this.#depth = counted ? (frameUnits(slots) << DEPTH_SHIFT) | 0 : 0
    this.#emitEntry()
    if (scanner.usesFunctionLabel) this.#emitWrapper()
    this.#emitSpans()
    const writer = this.#writer
    if (scanner.usesFunctionLabel) writer.u8(OP.end)
    this.#emitCanon(scanner.resultNode, scanner.type.results.at(-1) ?? I32, PLACE_AT_OBSERVER)
    this.#emitLeave()
    writer.u8(OP.end)
  }

  /** Declares the locals: the first declared one moves behind the others, since its number is the state's now. */
  #emitLocals(): void {
    const scanner = this.#scanner
    const groups = scanner.localGroups
    const added: number[] = []
    this.#state = scanner.type.params.length
    this.#movedLocal = this.#state + scanner.localCount
    let next = this.#movedLocal + 1
    if (groups.length > 0) added.push(groups[1] as number) // pairs of count and type
    this.#scratch = -1
    if (scanner.needsScratch) {
      this.#scratch = next++
      added.push(I32)
    }
    const needed = this.#neededCanons()
    for (let canon = CANON_F32; canon <= CANON_F64X2; canon++) {
      if ((needed & (1 << canon)) === 0) continue
      this.#canonScratch[canon] = next++
      added.push(CANON_TYPES[canon] as number) // in range
    }
    // Vectors keep their NaN in a local: engines make a vector constant anew, in several instructions, wherever it stands.
    for (let i = 0; i < 2; i++) {
      this.#vectorNan[i] = -1
      if ((needed & (1 << (CANON_F32X4 + i))) === 0) continue
      this.#vectorNan[i] = next++
      added.push(V128)
    }
    this.#addedLocals = next - this.#movedLocal
    const writer = this.#writer
    const firstLeft = groups.length > 0 && groups[0] === 1 ? 2 : 0
    writer.u32((groups.length - firstLeft) / 2 + added.length)
    for (let group = firstLeft; group < groups.length; group += 2) {
      writer.u32((groups[group] as number) - (group === 0 ? 1 : 0)) // pairs
      writer.u8(groups[group + 1] as number)
    }
    for (const type of added) {
      writer.u32(1)
      writer.u8(type)
    }
  }

  /** Which scratch locals canonicalisation will use, one bit for each kind. */
  #neededCanons(): number {
    const { events, nans, resultNode, type } = this.#scanner
    let needed = 0
    const need = (node: number, valueType: number): void => {
      needed |= 1 << this.#canonOf(node, valueType)
    }
    for (let event = 0; event < events.count; event++) {
      const kind = events.kind(event)
      if (kind !== EVENT_PRODUCED && kind !== EVENT_OBSERVED) continue
      const node = events.first(event)
      if (nans.place(node) !== (kind === EVENT_PRODUCED ? PLACE_AT_PRODUCER : PLACE_AT_OBSERVER)) continue
      const valueType = events.second(event)
      need(node, valueType)
    }
    if (resultNode >= 0 && nans.place(resultNode) === PLACE_AT_OBSERVER) need(resultNode, type.results.at(-1) ?? I32)
    return needed
  }

  /** @param type - A value type, or a vector producer's lane width as -32 or -64: its class may hold both widths. */
  #canonOf(node: number, type: number): number {
    if (type < 0) return type === -32 ? CANON_F32X4 : CANON_F64X2
    return this.#scanner.nans.canon(node, type)
  }

  #emitEntry(): void {
    for (const [i, local] of this.#vectorNan.entries()) {
      if (local < 0) continue
      emitCanonicalNan(this.#writer, CANON_F32X4 + i)
      this.#writer.u8(OP.localSet)
      this.#writer.u32(local)
    }
    const cost = this.#scanner.cells.cost(CELL_ENTRY) + 1
    this.#emitCharge((cost + this.#depth) | 0, this.#depth === 0 ? QUANTUM_GUARD : BOTH_GUARDS, this.#depth === 0)
  }

  /**
   * Adds to the state and, with `guards`, tests them.
   *
   * @param inPlace - Without a call on the slow path, which is longer, but leaves a loop or a leaf its registers.
   */
  #emitCharge(amount: number, guards: number, inPlace: boolean): void {
    const writer = this.#writer
    const state = this.#state
    writer.u8(OP.localGet)
    writer.u32(state)
    writer.u8(OP.i32Const)
    writer.s32(amount)
    writer.u8(OP.i32Add)
    writer.u8(guards === 0 ? OP.localSet : OP.localTee)
    writer.u32(state)
    if (guards === 0) return
    writer.u8(OP.i32Const)
    writer.s32(guards)
    writer.code(OP.i32And, OP.if, BLOCK_EMPTY)
    if (inPlace) this.#emitRefill()
    else this.#emitCall(OP.call, this.#layout.refill)
    writer.u8(OP.end)
  }

  /** Takes the next quantum. Only for a test of the quantum's guard alone. */
  #emitRefill(): void {
    const writer = this.#writer
    const bank = this.#layout.bankGlobal
    writer.u8(OP.globalGet)
    writer.u32(bank)
    writer.code(OP.i32Const, 1, OP.i32Sub, OP.globalSet)
    writer.u32(bank)
    writer.u8(OP.globalGet)
    writer.u32(bank)
    writer.code(OP.i32Const, 0, OP.i32LtS, OP.if, BLOCK_EMPTY, OP.unreachable, OP.end, OP.localGet)
    writer.u32(this.#state)
    writer.u8(OP.i32Const)
    writer.s32(QUANTUM_GAS)
    writer.u8(OP.i32Sub)
    this.#emitSetState()
  }

  /** Opens the block whose label stands for the function's own, so that every way out passes the same few instructions. */
  #emitWrapper(): void {
    const writer = this.#writer
    const results = this.#scanner.type.results
    writer.u8(OP.block)
    if (results.length === 0) writer.u8(BLOCK_EMPTY)
    else if (results.length === 1)
      writer.u8(results[0] as number) // the one there is
    else writer.s32(this.#layout.resultBlockType(results))
  }

  #emitSpans(): void {
    const { events, codeStart, codeEnd } = this.#scanner
    let at = codeStart
    for (let event = 0; event < events.count; event++) {
      const place = events.at(event)
      if (place > at) this.#writer.copy(this.#bytes, at, place)
      this.#emitEvent(events.kind(event), events.first(event), events.second(event))
      at = Math.max(at, place) + events.skip(event)
    }
    this.#writer.copy(this.#bytes, at, codeEnd)
  }

  #emitEvent(kind: number, first: number, second: number): void {
    switch (kind) {
      case EVENT_CHARGE: {
        const cost = this.#scanner.cells.cost(first)
        if (cost > 0) this.#emitCharge(cost, this.#scanner.cells.tested(first) ? QUANTUM_GUARD : 0, second > 0)
        return
      }
      case EVENT_CALL:
        return this.#emitCall(OP.call, innerFunction(this.#context, this.#layout, first))
      case EVENT_CALL_INDIRECT:
        this.#emitStateBelowIndex()
        this.#writer.u8(OP.callIndirect)
        this.#writer.u32(this.#layout.typeBase + first)
        this.#writer.u32(second)
        return this.#emitSetState()
      case EVENT_RETURN_CALL:
        this.#emitLeave()
        this.#writer.u8(OP.returnCall)
        return this.#writer.u32(innerFunction(this.#context, this.#layout, first))
      case EVENT_RETURN_CALL_INDIRECT:
        return this.#emitReturnCallIndirect(first, second)
      case EVENT_PRODUCED:
        return this.#emitCanon(first, second, PLACE_AT_PRODUCER)
      case EVENT_OBSERVED:
        return this.#emitCanon(first, second, PLACE_AT_OBSERVER)
      default:
        return this.#emitRareEvent(kind, first)
    }
  }

  #emitRareEvent(kind: number, first: number): void {
    const writer = this.#writer
    switch (kind) {
      case EVENT_RETURN:
        writer.u8(OP.br)
        return writer.u32(first)
      case EVENT_UNREACHABLE:
        // The state is put where the meter finds it, so that the gas of a program that gives up is exact.
        writer.u8(OP.localGet)
        writer.u32(this.#state)
        writer.u8(OP.i32Const)
        writer.s32(STATE_ENDED)
        writer.u8(OP.i32Or)
        writer.u8(OP.globalSet)
        return writer.u32(this.#layout.stateGlobal)
      case EVENT_MEMORY_GROW:
        return this.#emitCall(OP.call, this.#layout.memoryGrow)
      case EVENT_BULK_BYTES:
        return this.#emitCall(OP.call, this.#layout.bulkBytes)
      case EVENT_BULK_ELEMENTS:
        return this.#emitCall(OP.call, this.#layout.bulkElements)
      case EVENT_LOCAL:
        writer.u8(first)
        return writer.u32(this.#movedLocal)
      case EVENT_REF_FUNC:
        writer.u8(OP.refFunc)
        return writer.u32(innerFunction(this.#context, this.#layout, first))
    }
  }

  #emitCall(opcode: number, callee: number): void {
    const writer = this.#writer
    writer.u8(OP.localGet)
    writer.u32(this.#state)
    writer.u8(opcode)
    writer.u32(callee)
    this.#emitSetState()
  }

  #emitSetState(): void {
    this.#writer.u8(OP.localSet)
    this.#writer.u32(this.#state)
  }

  /** The state is the last argument; the table index, on top, must get out of its way. */
  #emitStateBelowIndex(): void {
    const writer = this.#writer
    writer.u8(OP.localSet)
    writer.u32(this.#scratch)
    writer.u8(OP.localGet)
    writer.u32(this.#state)
    writer.u8(OP.localGet)
    writer.u32(this.#scratch)
  }

  #emitReturnCallIndirect(type: number, table: number): void {
    const writer = this.#writer
    writer.u8(OP.localSet)
    writer.u32(this.#scratch)
    this.#emitLeave()
    writer.u8(OP.localGet)
    writer.u32(this.#scratch)
    writer.u8(OP.returnCallIndirect)
    writer.u32(this.#layout.typeBase + type)
    writer.u32(table)
  }

  /** Pushes the state as it is for the caller: without this frame. */
  #emitLeave(): void {
    const writer = this.#writer
    writer.u8(OP.localGet)
    writer.u32(this.#state)
    if (this.#depth === 0) return
    writer.u8(OP.i32Const)
    writer.s32(-this.#depth | 0)
    writer.u8(OP.i32Add)
  }

  /** Makes the value on top canonical if its class is to be so at this kind of place. */
  #emitCanon(node: number, type: number, place: number): void {
    if (node < 0 || this.#scanner.nans.place(node) !== place) return
    const canon = this.#canonOf(node, type)
    const writer = this.#writer
    const scratch = this.#canonScratch[canon] as number // in range
    writer.u8(OP.localTee)
    writer.u32(scratch)
    if (canon > CANON_F64) return this.#emitVectorCanon(canon, scratch)
    // A number is at least itself, a NaN is not. A jump over an assignment, because the processor foresees it, and one
    // condition, where V8 needs two for equality.
    writer.u8(OP.localGet)
    writer.u32(scratch)
    writer.code(canon === CANON_F32 ? OP.f32Ge : OP.f64Ge, OP.i32Eqz, OP.if, BLOCK_EMPTY)
    emitCanonicalNan(writer, canon)
    writer.u8(OP.localSet)
    writer.u32(scratch)
    writer.u8(OP.end)
    writer.u8(OP.localGet)
    writer.u32(scratch)
  }

  #emitVectorCanon(canon: number, scratch: number): void {
    const writer = this.#writer
    writer.u8(OP.localGet)
    writer.u32(this.#vectorNan[canon - CANON_F32X4] as number) // two
    writer.u8(OP.localGet)
    writer.u32(scratch)
    writer.u8(OP.localGet)
    writer.u32(scratch)
    writer.code(OP.simd, canon === CANON_F32X4 ? SIMD_F32X4_GE : SIMD_F64X2_GE, OP.simd, SIMD_BITSELECT)
  }
}

/** The positive NaN with only the quiet bit set (Core 2.0, section 3.3: "canonical NaN"), in every lane. */
function emitCanonicalNan(writer: ModuleWriter, canon: number): void {
  if (canon === CANON_F32) return writer.code(OP.f32Const, 0, 0, 0xc0, 0x7f)
  if (canon === CANON_F64) return writer.code(OP.f64Const, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
  writer.code(OP.simd, 12)
  if (canon === CANON_F32X4) for (let lane = 0; lane < 4; lane++) writer.code(0, 0, 0xc0, 0x7f)
  else for (let lane = 0; lane < 2; lane++) writer.code(0, 0, 0, 0, 0, 0, 0xf8, 0x7f)
}
