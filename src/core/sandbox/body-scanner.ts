import { ChargeCells } from './charge-cells.ts'
import {
  BACK_NONE,
  BACK_SEVERAL,
  type ControlFrame,
  ControlStack,
  FRAME_BLOCK,
  FRAME_ELSE,
  FRAME_FUNCTION,
  FRAME_IF,
  FRAME_LOOP,
} from './control-stack.ts'
import { refuse } from './errors.ts'
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
  EVENT_SKIP,
  EVENT_UNREACHABLE,
  EventList,
} from './event-list.ts'
import { carriesNan, type FunctionType, type ModuleContext } from './module-context.ts'
import { NanFlow, NODE_RAW, NODE_SAFE } from './nan-flow.ts'
import {
  ANY,
  EXTERNREF,
  F32,
  F64,
  FLOW_ARITHMETIC,
  FLOW_EITHER,
  FLOW_RAW,
  FLOW_SAME,
  FUNCREF,
  GAS_BULK,
  GAS_CALL,
  GAS_CALL_INDIRECT,
  GAS_PLAIN,
  I32,
  I64,
  IMMEDIATE_BYTES16,
  IMMEDIATE_LANE,
  IMMEDIATE_MEMORY,
  IMMEDIATE_MEMORY_LANE,
  IMMEDIATE_NONE,
  type OpcodeTable,
  PLAIN,
  SIMD,
  V128,
} from './opcodes.ts'
import { ModuleReader } from './reader.ts'

const NO_TYPES = new Uint8Array(0)
const EMPTY_TYPE: FunctionType = { params: NO_TYPES, results: NO_TYPES }
const SINGLE_TYPES: ReadonlyMap<number, FunctionType> = new Map(
  [I32, I64, F32, F64, V128, FUNCREF, EXTERNREF].map((type) => [
    type,
    { params: NO_TYPES, results: Uint8Array.of(type) },
  ]),
)

/**
 * In a body no longer than this, charges that follow no call need no test of their own: even if all its instructions were
 * charged twice between two tests (at most 8 gas a byte; twice, because a rotated loop's header is charged in two places), the
 * sum stays below `CHARGE_MAX`.
 */
const UNTESTED_BODY_BYTES_MAX = 2_000

/** Features that bodies may not use, by the first opcode bytes that tell. */
const REFUSED_OPCODES: ReadonlyMap<number, string> = new Map([
  [0x06, 'exception-handling'],
  [0x07, 'exception-handling'],
  [0x08, 'exception-handling'],
  [0x09, 'exception-handling'],
  [0x0a, 'exception-handling'],
  [0x18, 'exception-handling'],
  [0x19, 'exception-handling'],
  [0x1f, 'exception-handling'],
  [0x14, 'function-references'],
  [0x15, 'function-references'],
  [0xd3, 'gc'],
  [0xd4, 'function-references'],
  [0xd5, 'function-references'],
  [0xd6, 'function-references'],
  [0xfb, 'gc'],
  [0xfe, 'threads'],
])

export function isValueType(type: number): boolean {
  return SINGLE_TYPES.has(type)
}

/**
 * Reads one function body: checks it completely (Core 2.0, section 3.3 and its appendix "Validation Algorithm"), and notes
 * where the emitter must insert something. One indivisible pass, hence one long file: decoding, the operand and control
 * stacks, the cells of gas and the flow of NaNs all advance with every instruction.
 */
export class BodyScanner {
  readonly #context: ModuleContext
  readonly #reader: ModuleReader
  readonly events = new EventList()
  readonly cells = new ChargeCells()
  readonly nans = new NanFlow()
  readonly #control = new ControlStack()
  #types = new Uint8Array(1_024)
  #nodes = new Int32Array(1_024)
  #height = 0
  #heightMax = 0
  #poppedNode = NODE_SAFE
  /** Types of parameters and locals; NaN class of each float one. */
  #localTypes = new Uint8Array(1_024)
  #localNodes = new Int32Array(1_024)
  #localsTotal = 0
  #dead = false
  #deadFrom = 0
  #called = false
  #weight = 1
  #stamp = 0
  #opcodeAt = 0
  #untestedAllowed = false
  #vectors = false

  // What the emitter needs to know of the function just scanned.
  type: FunctionType = EMPTY_TYPE
  /** Where the instructions start, after the declarations of locals. */
  codeStart = 0
  /** Where the final `end` is. */
  codeEnd = 0
  /** `[count, type]` pairs as declared. */
  readonly localGroups: number[] = []
  localCount = 0
  /** Parameters, locals and greatest operand stack, in slots. */
  slots = 0
  calls = false
  usesFunctionLabel = false
  needsScratch = false
  /** NaN class of the last result; negative when it carries none. */
  resultNode = NODE_SAFE

  constructor(context: ModuleContext, bytes: Uint8Array) {
    this.#context = context
    this.#reader = new ModuleReader(bytes)
  }

  /** Scans the body in bytes `[start, end)` of the module. */
  scan(typeIndex: number, start: number, end: number): void {
    const type = this.#context.types[typeIndex] as FunctionType // checked when the function section was read
    const reader = this.#reader
    reader.at = start
    reader.end = end
    this.type = type
    this.events.reset()
    this.cells.reset()
    this.nans.reset()
    this.#height = 0
    this.#heightMax = 0
    this.#dead = false
    this.#called = false
    this.#weight = 1
    this.#stamp = 0
    this.#vectors = type.params.includes(V128)
    this.calls = false
    this.usesFunctionLabel = false
    this.needsScratch = false
    this.#readLocals()
    this.codeStart = reader.at
    this.#untestedAllowed = end - reader.at <= UNTESTED_BODY_BYTES_MAX
    this.#control.depth = 0
    const frame = this.#control.push(FRAME_FUNCTION, type)
    frame.height = 0
    frame.cell = 0
    frame.loopDepth = 0
    frame.nodes = this.#allocateNodes(type.results)
    while (this.#control.depth > 0) this.#instruction()
    if (reader.at !== end) refuse('function body end', reader.at, reader.at, end)
    // Vectors take two slots; telling them apart everywhere is not worth it, so a body with vectors counts all twice.
    this.slots = (type.params.length + this.localCount + this.#heightMax) * (this.#vectors ? 2 : 1)
    this.cells.settle()
  }

  #readLocals(): void {
    const reader = this.#reader
    const limits = this.#context.limits
    const params = this.type.params
    let total = params.length
    this.localGroups.length = 0
    const groups = reader.count('local groups', limits.localsMax)
    for (let group = 0; group < groups; group++) {
      const at = reader.at
      const count = reader.u32('locals')
      if (total + count > limits.localsMax) refuse('locals', at, total + count, limits.localsMax)
      const type = reader.u8('local type')
      if (!isValueType(type)) refuse('local type', reader.at - 1, type)
      if (type === V128) this.#noteVector()
      if (count === 0) continue
      this.localGroups.push(count, type)
      total += count
    }
    this.localCount = total - params.length
    this.#localsTotal += total
    if (this.#localsTotal > limits.localsTotalMax) {
      refuse('locals of all functions', reader.at, this.#localsTotal, limits.localsTotalMax)
    }
    this.#fillLocals(total)
  }

  #fillLocals(total: number): void {
    if (total > this.#localTypes.length) {
      this.#localTypes = new Uint8Array(total * 2)
      this.#localNodes = new Int32Array(total * 2)
    }
    const params = this.type.params
    this.#localTypes.set(params)
    let at = params.length
    for (let group = 0; group < this.localGroups.length; group += 2) {
      const count = this.localGroups[group] as number // pairs
      this.#localTypes.fill(this.localGroups[group + 1] as number, at, at + count)
      at += count
    }
    this.#localNodes.fill(-1, 0, total)
  }

  // Operand stack

  #push(type: number, node: number): void {
    const height = this.#height
    if (height >= this.#types.length) this.#growOperands()
    this.#types[height] = type
    this.#nodes[height] = node
    this.#height = height + 1
    if (height >= this.#heightMax) this.#heightMax = height + 1
  }

  #growOperands(): void {
    const limit = this.#context.limits.operandsMax
    if (this.#height >= limit) refuse('operand stack height', this.#opcodeAt, this.#height + 1, limit)
    const size = Math.min(limit, this.#types.length * 2)
    const types = new Uint8Array(size)
    types.set(this.#types)
    this.#types = types
    const nodes = new Int32Array(size)
    nodes.set(this.#nodes)
    this.#nodes = nodes
  }

  /** Pops a value of any type; its NaN class is left in `#poppedNode`. */
  #popAny(): number {
    const frame = this.#control.top
    if (this.#height === frame.height) {
      if (!frame.unreachable) refuse('operand', this.#opcodeAt, 'missing')
      this.#poppedNode = NODE_SAFE
      return ANY
    }
    const height = --this.#height
    this.#poppedNode = this.#nodes[height] as number // in range: below the old height
    return this.#types[height] as number
  }

  #pop(expected: number): number {
    const type = this.#popAny()
    if (type !== expected && type !== ANY && expected !== ANY) this.#refuseType(type, expected)
    return this.#poppedNode
  }

  #refuseType(type: number, expected: number): never {
    return refuse('operand type', this.#opcodeAt, `0x${type.toString(16)}`, `0x${expected.toString(16)}`)
  }

  /**
   * Checks that the values of `types` are on top, and joins their NaN classes with those that start at `nodes`; with no such
   * classes their bits count as shown.
   */
  #peek(types: Uint8Array, nodes: number): void {
    const frame = this.#control.top
    const base = this.#height - types.length
    for (let i = types.length - 1; i >= 0; i--) {
      const at = base + i
      if (at < frame.height) {
        if (!frame.unreachable) refuse('operand', this.#opcodeAt, 'missing')
        return
      }
      const type = this.#types[at] as number // in range: between the frame's height and the stack's
      const expected = types[i] as number // in range
      if (type !== expected && type !== ANY) this.#refuseType(type, expected)
      if (this.#dead || !carriesNan(expected)) continue
      const node = this.#nodes[at] as number // in range, as above
      if (nodes >= 0) this.nans.join(nodes + i, node)
      else this.nans.force(node)
    }
  }

  /** Drops what `#peek` has checked. */
  #drop(count: number): void {
    this.#height = Math.max(this.#control.top.height, this.#height - count)
  }

  #pushAll(types: Uint8Array, nodes: number): void {
    for (let i = 0; i < types.length; i++) {
      const type = types[i] as number // in range
      if (type === V128) this.#vectors = true
      this.#push(type, carriesNan(type) ? (nodes >= 0 ? nodes + i : NODE_RAW) : NODE_SAFE)
    }
  }

  /** Takes the arguments of a call. The last is on top; the others' bits are shown under it. */
  #popArguments(types: Uint8Array, lastIsOnTop: boolean): void {
    for (let i = types.length - 1; i >= 0; i--) {
      const node = this.#pop(types[i] as number) // in range
      if (node < 0) continue
      if (lastIsOnTop && i === types.length - 1) this.#observe(node, types[i] as number)
      else this.nans.force(node)
    }
  }

  // NaN classes, gas and events

  #allocateNodes(types: Uint8Array): number {
    let first = -1
    if (!types.some(carriesNan)) return first
    for (let i = 0; i < types.length; i++) {
      const node = this.nans.node()
      if (i === 0) first = node
    }
    return first
  }

  #localNode(index: number): number {
    let node = this.#localNodes[index] as number // in range: checked by the caller
    if (node < 0) {
      node = this.nans.node()
      if (index < this.type.params.length) this.nans.join(node, NODE_RAW)
      this.#localNodes[index] = node
    }
    return node
  }

  /** The value that the current instruction takes from the top of the stack shows its bits. */
  #observe(node: number, type: number): void {
    if (node < 0 || this.#dead) return
    this.nans.observe(node, this.#weight)
    this.events.push(EVENT_OBSERVED, this.#opcodeAt, 0, node, type)
  }

  /** A new arithmetic result; to be called after the instruction has been read. */
  #produce(type: number, lane: number): number {
    if (this.#dead) return NODE_SAFE
    const node = this.nans.producer(lane, this.#weight)
    this.events.push(EVENT_PRODUCED, this.#reader.at, 0, node, type === V128 ? (lane === 32 ? -32 : -64) : type)
    return node
  }

  #charge(gas: number): void {
    // A full cell is closed in the middle of straight code; the next one starts with this instruction's successor.
    if (this.cells.add(gas)) this.#pendingSplit = true
  }
  #pendingSplit = false

  #chargeEvent(cell: number): void {
    this.events.push(EVENT_CHARGE, this.#reader.at, 0, cell, this.#control.top.loopDepth)
  }

  #openCell(parent: number): void {
    if (this.#dead) return
    const cell = this.cells.open(parent, this.#called || !this.#untestedAllowed)
    this.#chargeEvent(cell)
  }

  /** Replaces the current instruction by an event. */
  #replace(kind: number, first: number, second = 0): void {
    if (!this.#dead) this.events.push(kind, this.#opcodeAt, this.#reader.at - this.#opcodeAt, first, second)
  }

  /** Inserts an event before the current instruction. */
  #before(kind: number, first = 0): void {
    if (!this.#dead) this.events.push(kind, this.#opcodeAt, 0, first, 0)
  }

  // Control

  /** What follows in this block cannot run. */
  #endReach(): void {
    const frame = this.#control.top
    frame.unreachable = true
    this.#height = frame.height
    if (this.#dead) return
    this.#dead = true
    this.#deadFrom = this.#reader.at
    this.cells.current = 0
  }

  #blockType(): FunctionType {
    const reader = this.#reader
    const byte = reader.bytes[reader.at]
    if (byte === 0x40 && reader.at < reader.end) {
      reader.at++
      return EMPTY_TYPE
    }
    const single = byte === undefined ? undefined : SINGLE_TYPES.get(byte)
    if (single !== undefined && reader.at < reader.end) {
      reader.at++
      return single
    }
    const at = reader.at
    const index = reader.signed('block type', 33)
    const type = this.#context.types[index]
    if (type === undefined) refuse('block type', at, index, this.#context.types.length - 1)
    this.#context.features.add('multi-value')
    return type
  }

  #open(kind: number): void {
    const type = this.#blockType()
    const depthMax = this.#context.limits.nestingMax
    if (this.#control.depth > depthMax) refuse('block nesting', this.#opcodeAt, this.#control.depth, depthMax)
    if (kind === FRAME_IF) this.#pop(I32)
    this.#peek(type.params, -1)
    this.#drop(type.params.length)
    const outer = this.#control.top
    const frame = this.#control.push(kind, type)
    frame.height = this.#height
    frame.dead = this.#dead
    frame.cell = this.cells.current
    frame.called = this.#called
    frame.loopDepth = outer.loopDepth + (kind === FRAME_LOOP ? 1 : 0)
    if (kind !== FRAME_LOOP && !this.#dead) frame.nodes = this.#allocateNodes(type.results)
    this.#pushAll(type.params, -1)
    if (this.#dead) return
    if (kind === FRAME_LOOP) {
      this.#setWeight(frame.loopDepth)
      const cell = this.cells.openLoop()
      frame.header = cell
      this.#chargeEvent(cell)
      this.#called = false
    } else if (kind === FRAME_IF) {
      this.#charge(GAS_PLAIN)
      this.#openCell(frame.cell)
    }
  }

  #setWeight(loopDepth: number): void {
    this.#weight = 8 ** Math.min(loopDepth, 8)
  }

  #else(): void {
    const frame = this.#control.top
    if (frame.kind !== FRAME_IF) refuse('else', this.#opcodeAt, 'without if')
    this.#closeArm(frame)
    frame.kind = FRAME_ELSE
    frame.unreachable = false
    this.#height = frame.height
    this.#pushAll(frame.type.params, -1)
    if (!frame.dead) frame.calledAtLabel ||= this.#called && !this.#dead
    this.#revive(frame)
    this.#called = frame.called
    this.#openCell(frame.cell)
  }

  /** Checks the values at the end of a block or of the first arm of an `if`. */
  #closeArm(frame: ControlFrame): void {
    const results = frame.type.results
    this.#peek(results, frame.kind === FRAME_LOOP ? -1 : frame.nodes)
    if (this.#height - frame.height > results.length) {
      refuse('operands left at end of block', this.#opcodeAt, this.#height - frame.height, results.length)
    }
  }

  /** Code can run again from the current instruction on, if it could before the block. */
  #revive(frame: ControlFrame): void {
    if (!this.#dead || frame.dead) return
    this.#dead = false
    const skipped = this.#opcodeAt - this.#deadFrom
    if (skipped > 0) this.events.push(EVENT_SKIP, this.#deadFrom, skipped, 0, 0)
  }

  #end(): void {
    const frame = this.#control.top
    this.#closeArm(frame)
    if (frame.kind === FRAME_IF) this.#checkMissingElse(frame)
    let called = frame.calledAtLabel
    if (!this.#dead) called ||= this.#called
    if (frame.kind === FRAME_IF) called ||= frame.called
    this.#revive(frame)
    this.#called = called
    this.#height = frame.height
    this.#control.depth--
    if (frame.kind === FRAME_FUNCTION) return this.#endFunction(frame)
    this.#pushAll(frame.type.results, frame.kind === FRAME_LOOP ? -1 : frame.nodes)
    this.#setWeight(this.#control.top.loopDepth)
    if (this.#dead) return
    // What jumps out of this block past its end, also leaves the blocks around it, up to the target.
    const outer = this.#control.top
    outer.escapeDepth = Math.min(outer.escapeDepth, frame.escapeDepth)
    if (frame.kind === FRAME_LOOP && frame.backCell >= 0) {
      this.cells.rotate({ header: frame.header, back: frame.backCell, before: frame.cell })
    }
    if (frame.escapeDepth < this.#control.depth) this.#openCell(frame.cell)
    else this.cells.current = frame.cell
  }

  #endFunction(frame: ControlFrame): void {
    this.codeEnd = this.#opcodeAt
    const results = frame.type.results
    this.resultNode = NODE_SAFE
    if (frame.nodes < 0) return
    for (let i = 0; i < results.length - 1; i++) this.nans.force(frame.nodes + i)
    this.resultNode = frame.nodes + results.length - 1
    this.nans.observe(this.resultNode, 1)
  }

  /** An `if` without `else` passes its parameters on. */
  #checkMissingElse(frame: ControlFrame): void {
    const { params, results } = frame.type
    const same = params.length === results.length && params.every((type, i) => type === results[i])
    if (!same) refuse('if without else', this.#opcodeAt, results.length, params.length)
    if (frame.nodes < 0) return
    for (let i = 0; i < results.length; i++) this.nans.join(frame.nodes + i, NODE_RAW)
  }

  /** Notes that code jumps to `target` from here. */
  #jump(target: ControlFrame, label: number): void {
    if (this.#dead) return
    if (target.kind === FRAME_FUNCTION) this.usesFunctionLabel = true
    target.calledAtLabel ||= this.#called
    const frame = this.#control.top
    frame.escapeDepth = Math.min(frame.escapeDepth, this.#control.depth - 1 - label)
    if (target.kind !== FRAME_LOOP) return
    const inOwnTurn = frame.loopDepth === target.loopDepth
    const first = target.backCell === BACK_NONE || target.backCell === this.cells.current
    target.backCell = inOwnTurn && first ? this.cells.current : BACK_SEVERAL
  }

  #branch(): void {
    const label = this.#reader.index('branch label', this.#control.depth)
    const target = this.#control.label(label)
    this.#peek(target.labelTypes, target.nodes)
    this.#charge(GAS_PLAIN)
    this.#jump(target, label)
    this.#endReach()
  }

  #branchIf(): void {
    const label = this.#reader.index('branch label', this.#control.depth)
    this.#pop(I32)
    const target = this.#control.label(label)
    this.#peek(target.labelTypes, target.nodes)
    this.#charge(GAS_PLAIN)
    if (this.#dead) return
    this.#jump(target, label)
    // What follows a conditional jump back runs once a loop, not once a turn: it must not be charged to the turn.
    if (target.kind === FRAME_LOOP) {
      const cell = this.cells.openFixed()
      this.#chargeEvent(cell)
    } else {
      this.#openCell(this.cells.current)
    }
  }

  #branchTable(): void {
    const reader = this.#reader
    this.#pop(I32)
    const count = reader.count('branch table targets', this.#context.limits.branchTargetsMax)
    const stamp = ++this.#stamp
    let arity = -1
    this.#charge(GAS_CALL)
    for (let i = 0; i <= count; i++) {
      const at = reader.at
      const label = reader.index('branch label', this.#control.depth)
      const target = this.#control.label(label)
      if (target.stamp === stamp) continue // each label once: a table may name one thousands of times
      target.stamp = stamp
      const types = target.labelTypes
      if (arity >= 0 && types.length !== arity) refuse('branch table arity', at, types.length, arity)
      arity = types.length
      this.#peek(types, target.nodes)
      this.#jump(target, label)
    }
    this.#endReach()
  }

  #return(): void {
    const frame = this.#control.frames[0] as ControlFrame // the function's frame is open
    this.#peek(frame.type.results, frame.nodes)
    this.#charge(GAS_PLAIN)
    this.#jump(frame, this.#control.depth - 1)
    this.#replace(EVENT_RETURN, this.#control.depth - 1)
    this.#endReach()
  }

  // Calls

  #call(): void {
    const index = this.#reader.index('function', this.#context.functionTypes.length)
    const type = this.#functionType(index)
    this.#popArguments(type.params, true)
    this.#pushAll(type.results, -1)
    this.#replace(EVENT_CALL, index)
    this.#noteCall(GAS_CALL)
  }

  #callIndirect(): void {
    const { index, table } = this.#indirect()
    const type = this.#context.types[index] as FunctionType // #indirect checked it
    this.#pop(I32)
    this.#popArguments(type.params, false)
    this.#pushAll(type.results, -1)
    this.#replace(EVENT_CALL_INDIRECT, index, table)
    this.needsScratch ||= !this.#dead
    this.#noteCall(GAS_CALL_INDIRECT)
  }

  #noteCall(gas: number): void {
    this.#charge(gas)
    if (this.#dead) return
    this.calls = true
    this.#called = true
  }

  #indirect(): { index: number; table: number } {
    const reader = this.#reader
    const index = reader.index('call type', this.#context.types.length)
    const at = reader.at
    const table = reader.index('table', this.#context.tableTypes.length)
    if (this.#context.tableTypes[table] !== FUNCREF) refuse('table of an indirect call', at, table)
    return { index, table }
  }

  #returnCall(): void {
    this.#context.features.add('tail-call')
    const index = this.#reader.index('function', this.#context.functionTypes.length)
    const type = this.#functionType(index)
    this.#checkTailResults(type)
    this.#popArguments(type.params, true)
    this.#charge(GAS_CALL)
    this.#replace(EVENT_RETURN_CALL, index)
    this.#leave()
  }

  #returnCallIndirect(): void {
    this.#context.features.add('tail-call')
    const { index, table } = this.#indirect()
    const type = this.#context.types[index] as FunctionType // #indirect checked it
    this.#checkTailResults(type)
    this.#pop(I32)
    this.#popArguments(type.params, false)
    this.#charge(GAS_CALL_INDIRECT)
    this.#replace(EVENT_RETURN_CALL_INDIRECT, index, table)
    this.needsScratch ||= !this.#dead
    this.#leave()
  }

  /** The function is left without jumping to its label: what surrounds this may run less often. */
  #leave(): void {
    if (!this.#dead) this.#control.top.escapeDepth = 0
    this.#endReach()
  }

  #checkTailResults(type: FunctionType): void {
    const own = this.type.results
    const same = own.length === type.results.length && own.every((result, i) => result === type.results[i])
    if (!same) refuse('results of a tail call', this.#opcodeAt, type.results.length, own.length)
  }

  #functionType(index: number): FunctionType {
    return this.#context.types[this.#context.functionTypes[index] as number] as FunctionType // both checked when read
  }

  // Variables and references

  #localIndex(): number {
    return this.#reader.index('local', this.type.params.length + this.localCount)
  }

  #local(opcode: number): void {
    const index = this.#localIndex()
    const type = this.#localTypes[index] as number // in range: just checked
    const node = carriesNan(type) && !this.#dead ? this.#localNode(index) : NODE_SAFE
    if (opcode !== 0x20) {
      const value = this.#pop(type)
      if (node >= 0) this.nans.join(node, value)
    }
    if (opcode !== 0x21) this.#push(type, node)
    if (index === this.type.params.length) this.#replace(EVENT_LOCAL, opcode)
    this.#charge(GAS_PLAIN)
  }

  #global(opcode: number): void {
    const at = this.#reader.at
    const index = this.#reader.index('global', this.#context.globalTypes.length)
    const type = this.#context.globalTypes[index] as number // in range: just checked
    this.#charge(GAS_PLAIN)
    if (opcode === 0x23) return this.#push(type, carriesNan(type) ? NODE_RAW : NODE_SAFE)
    if (this.#context.globalMutable[index] !== true) refuse('global to set', at, index, 'mutable globals')
    this.#observe(this.#pop(type), type)
  }

  #select(): void {
    this.#pop(I32)
    const first = this.#popAny()
    const firstNode = this.#poppedNode
    const second = this.#popAny()
    const type = first === ANY ? second : first
    if (second !== ANY && second !== type) this.#refuseType(second, type)
    if (type === FUNCREF || type === EXTERNREF) this.#refuseType(type, I32)
    this.#push(type, this.#dead ? NODE_SAFE : this.nans.join(firstNode, this.#poppedNode))
    this.#charge(GAS_PLAIN)
  }

  #selectTyped(): void {
    this.#context.features.add('reference-types')
    const reader = this.#reader
    if (reader.u32('select types') !== 1) refuse('select types', reader.at - 1, 'not one', 1)
    const type = reader.u8('select type')
    if (!isValueType(type)) refuse('select type', reader.at - 1, type)
    this.#pop(I32)
    const first = this.#pop(type)
    const second = this.#pop(type)
    this.#push(type, this.#dead ? NODE_SAFE : this.nans.join(first, second))
    this.#charge(GAS_PLAIN)
  }

  /** Reads a table index. @returns The table's reference type. */
  #table(field: string): number {
    return this.#context.tableTypes[this.#reader.index(field, this.#context.tableTypes.length)] as number // checked
  }

  #refFunc(): void {
    this.#context.features.add('reference-types')
    const at = this.#reader.at
    const index = this.#reader.index('function', this.#context.functionTypes.length)
    if (!this.#context.declaredFunctions.has(index)) refuse('undeclared function reference', at, index)
    this.#push(FUNCREF, NODE_SAFE)
    if (!this.#dead) this.#context.referredFunctions.add(index)
    this.#replace(EVENT_REF_FUNC, index)
    this.#charge(GAS_PLAIN)
  }

  #refType(): number {
    const type = this.#reader.u8('reference type')
    if (type !== FUNCREF && type !== EXTERNREF) refuse('reference type', this.#reader.at - 1, type)
    return type
  }

  // Plain instructions

  #memoryImmediate(alignmentMax: number): void {
    const reader = this.#reader
    if (!this.#context.hasMemory) refuse('memory instruction', this.#opcodeAt, 'without memory')
    const at = reader.at
    const alignment = reader.u32('alignment')
    if (alignment >= 64) refuse('feature', at, 'multi-memory')
    if (alignment > alignmentMax) refuse('alignment', at, alignment, alignmentMax)
    reader.u32('memory offset')
  }

  #immediates(table: OpcodeTable, opcode: number): void {
    const kind = table.immediate[opcode] as number // in range: opcodes are bytes
    if (kind === IMMEDIATE_NONE) return
    const reader = this.#reader
    const bound = table.bound[opcode] as number // in range
    if (kind === IMMEDIATE_MEMORY || kind === IMMEDIATE_MEMORY_LANE) this.#memoryImmediate(bound)
    if (kind === IMMEDIATE_LANE || kind === IMMEDIATE_MEMORY_LANE) {
      const lane = reader.u8('lane')
      const lanes = kind === IMMEDIATE_LANE ? bound : 16 >> bound
      if (lane >= lanes) refuse('lane', reader.at - 1, lane, lanes - 1)
    }
    if (kind !== IMMEDIATE_BYTES16) return
    reader.skip('vector immediate', 16)
    if (bound === 0) return
    for (let i = 1; i <= 16; i++) {
      const lane = reader.bytes[reader.at - i] as number // just skipped
      if (lane >= bound) refuse('shuffle lane', reader.at - i, lane, bound - 1)
    }
  }

  #plain(table: OpcodeTable, opcode: number): void {
    if (table.known[opcode] !== 1) refuse('opcode', this.#opcodeAt, opcode)
    this.#immediates(table, opcode)
    // In range: tables have a row for every byte.
    const lane = table.lane[opcode] as number
    const third = table.third[opcode] as number
    const second = table.second[opcode] as number
    const first = table.first[opcode] as number
    const result = table.result[opcode] as number
    let thirdNode = NODE_SAFE
    let secondNode = NODE_SAFE
    let firstNode = NODE_SAFE
    if (third !== 0) thirdNode = this.#pop(third)
    if (second !== 0) secondNode = this.#pop(second)
    if (first !== 0) firstNode = this.#pop(first)
    this.#charge(table.gas[opcode] as number)
    let node = NODE_SAFE
    const followed = firstNode >= 0 || secondNode >= 0 || thirdNode >= 0
    if (followed && !this.#dead) this.#showOperands(lane, firstNode, secondNode, thirdNode, table, opcode)
    if (result === 0) return
    const flow = table.flow[opcode] as number
    if (flow === FLOW_ARITHMETIC) node = this.#produce(result, this.#resultLane(table, opcode, lane, result))
    else if (flow === FLOW_RAW) node = carriesNan(result) ? NODE_RAW : NODE_SAFE
    else if (flow === FLOW_SAME) node = firstNode
    else if (flow === FLOW_EITHER) node = this.#dead ? NODE_SAFE : this.nans.join(firstNode, secondNode)
    this.#push(result, node)
  }

  #resultLane(table: OpcodeTable, opcode: number, lane: number, result: number): number {
    if (result === F32) return 32
    if (result === F64) return 64
    return table === SIMD && (opcode === 94 || opcode === 95) ? 96 - lane : lane
  }

  /** Says what an instruction with float or vector operands shows of them. */
  #showOperands(lane: number, first: number, second: number, third: number, table: OpcodeTable, opcode: number): void {
    if (lane !== 0) {
      this.nans.consume(first, lane)
      this.nans.consume(second, lane)
      const copysign = table === PLAIN && (opcode === 0x98 || opcode === 0xa6)
      if (copysign) this.#observe(second, opcode === 0x98 ? F32 : F64)
      return
    }
    const type = (third >= 0 ? table.third : second >= 0 ? table.second : table.first)[opcode] as number // in range
    if (third >= 0) this.#observe(third, type)
    if (second >= 0) {
      if (table.third[opcode] === 0) this.#observe(second, type)
      else this.nans.force(second)
    }
    if (first >= 0) {
      if (table.second[opcode] === 0) this.#observe(first, type)
      else this.nans.force(first)
    }
  }

  #noteVector(): void {
    this.#vectors = true
    this.#context.features.add('simd')
  }

  #simd(): void {
    this.#noteVector()
    const opcode = this.#reader.u32('vector opcode')
    if (opcode > 255) refuse('feature', this.#opcodeAt, 'relaxed-simd')
    this.#plain(SIMD, opcode)
  }

  #constant(opcode: number): void {
    const reader = this.#reader
    this.#charge(GAS_PLAIN)
    if (opcode === 0x41) {
      reader.signed('constant', 32)
      return this.#push(I32, NODE_SAFE)
    }
    if (opcode === 0x42) {
      reader.signed('constant', 64)
      return this.#push(I64, NODE_SAFE)
    }
    const size = opcode === 0x43 ? 4 : 8
    reader.skip('constant', size)
    const high = reader.bytes[reader.at - 1] as number // just skipped
    const next = reader.bytes[reader.at - 2] as number // likewise
    // An exponent of all ones may be a NaN, whose bits the program chose.
    const nan = (high & 0x7f) === 0x7f && (size === 4 ? next >= 0x80 : next >= 0xf0)
    this.#push(size === 4 ? F32 : F64, nan ? NODE_RAW : NODE_SAFE)
  }

  #zeroByte(field: string): void {
    if (this.#reader.u8(field) !== 0) refuse('feature', this.#reader.at - 1, 'multi-memory')
    if (!this.#context.hasMemory) refuse('memory instruction', this.#opcodeAt, 'without memory')
  }

  #memoryGrow(): void {
    this.#zeroByte('memory index')
    this.#pop(I32)
    this.#push(I32, NODE_SAFE)
    this.#replace(EVENT_MEMORY_GROW, 0)
    this.#noteHelper()
  }

  /** After a helper the gas field may be anything a helper leaves: a later charge must test. */
  #noteHelper(): void {
    this.#charge(GAS_BULK)
    if (!this.#dead) this.#called = true
  }

  #popBulk(): void {
    this.#pop(I32)
    this.#pop(I32)
    this.#pop(I32)
    this.#noteHelper()
  }

  #prefixed(): void {
    const reader = this.#reader
    const opcode = reader.u32('prefixed opcode')
    if (opcode < 8) {
      this.#context.features.add('nontrapping-float-to-int-conversions')
      const operand = (opcode & 2) === 0 ? F32 : F64
      this.nans.consume(this.#pop(operand), operand === F32 ? 32 : 64)
      this.#charge(GAS_PLAIN)
      return this.#push(opcode < 4 ? I32 : I64, NODE_SAFE)
    }
    this.#context.features.add(opcode > 14 ? 'reference-types' : 'bulk-memory-operations')
    if (opcode <= 11) return this.#bulkMemory(opcode)
    if (opcode <= 17) return this.#bulkTable(opcode)
    refuse('opcode', this.#opcodeAt, `0xfc ${opcode}`)
  }

  #bulkMemory(opcode: number): void {
    const reader = this.#reader
    if (opcode === 8 || opcode === 9) {
      if (this.#context.dataCount < 0) refuse('data count section', this.#opcodeAt, 'missing')
      reader.index('data segment', this.#context.dataCount)
      if (opcode === 9) return this.#charge(GAS_BULK)
    }
    if (opcode === 10) this.#zeroByte('memory index')
    this.#zeroByte('memory index')
    this.#before(EVENT_BULK_BYTES)
    this.#popBulk()
  }

  #bulkTable(opcode: number): void {
    const reader = this.#reader
    const context = this.#context
    if (opcode === 12 || opcode === 13) {
      const at = reader.at
      const segment = reader.index('element segment', context.elementTypes.length)
      if (opcode === 13) return this.#charge(GAS_BULK)
      const type = this.#table('table')
      if (context.elementTypes[segment] !== type) refuse('element segment type', at, segment)
      this.#before(EVENT_BULK_ELEMENTS)
      return this.#popBulk()
    }
    const at = reader.at
    const type = this.#table('table')
    if (opcode === 14) {
      if (this.#table('table') !== type) refuse('table copy types', at, type)
      this.#before(EVENT_BULK_ELEMENTS)
      return this.#popBulk()
    }
    this.#charge(GAS_PLAIN)
    if (opcode === 16) return this.#push(I32, NODE_SAFE)
    this.#before(EVENT_BULK_ELEMENTS)
    this.#noteHelper()
    this.#pop(I32)
    this.#pop(type)
    if (opcode === 17) this.#pop(I32)
    else this.#push(I32, NODE_SAFE)
  }

  #instruction(): void {
    const reader = this.#reader
    if (this.#pendingSplit) {
      this.#pendingSplit = false
      if (!this.#dead) {
        const cell = this.cells.openFixed()
        this.#chargeEvent(cell)
      }
    }
    this.#opcodeAt = reader.at
    const opcode = reader.u8('opcode')
    if (opcode >= 0x45 && opcode <= 0xc4) {
      if (opcode >= 0xc0) this.#context.features.add('sign-extension-ops')
      return this.#plain(PLAIN, opcode)
    }
    if (opcode >= 0x28 && opcode <= 0x3e) return this.#plain(PLAIN, opcode)
    switch (opcode) {
      case 0x20:
      case 0x21:
      case 0x22:
        return this.#local(opcode)
      case 0x23:
      case 0x24:
        return this.#global(opcode)
      case 0x41:
      case 0x42:
      case 0x43:
      case 0x44:
        return this.#constant(opcode)
      case 0x00:
        this.#charge(GAS_PLAIN)
        this.#before(EVENT_UNREACHABLE)
        return this.#endReach()
      case 0x01:
        return this.#charge(GAS_PLAIN)
      case 0x02:
        return this.#open(FRAME_BLOCK)
      case 0x03:
        return this.#open(FRAME_LOOP)
      case 0x04:
        return this.#open(FRAME_IF)
      case 0x05:
        return this.#else()
      case 0x0b:
        return this.#end()
      case 0x0c:
        return this.#branch()
      case 0x0d:
        return this.#branchIf()
      case 0x0e:
        return this.#branchTable()
      case 0x0f:
        return this.#return()
      case 0x10:
        return this.#call()
      case 0x11:
        return this.#callIndirect()
      default:
        return this.#rareInstruction(opcode)
    }
  }

  #rareInstruction(opcode: number): void {
    switch (opcode) {
      case 0x12:
        return this.#returnCall()
      case 0x13:
        return this.#returnCallIndirect()
      case 0x1a:
        this.#popAny()
        return this.#charge(GAS_PLAIN)
      case 0x1b:
        return this.#select()
      case 0x1c:
        return this.#selectTyped()
      case 0x25:
      case 0x26:
        return this.#tableAccess(opcode)
      case 0x3f:
        this.#zeroByte('memory index')
        this.#push(I32, NODE_SAFE)
        return this.#charge(GAS_PLAIN)
      case 0x40:
        return this.#memoryGrow()
      case 0xd0:
        this.#context.features.add('reference-types')
        this.#push(this.#refType(), NODE_SAFE)
        return this.#charge(GAS_PLAIN)
      case 0xd1:
        return this.#refIsNull()
      case 0xd2:
        return this.#refFunc()
      case 0xfc:
        return this.#prefixed()
      case 0xfd:
        return this.#simd()
      default: {
        const feature = REFUSED_OPCODES.get(opcode)
        if (feature !== undefined) refuse('feature', this.#opcodeAt, feature)
        refuse('opcode', this.#opcodeAt, opcode)
      }
    }
  }

  #refIsNull(): void {
    this.#context.features.add('reference-types')
    const type = this.#popAny()
    if (type !== FUNCREF && type !== EXTERNREF && type !== ANY) this.#refuseType(type, FUNCREF)
    this.#push(I32, NODE_SAFE)
    this.#charge(GAS_PLAIN)
  }

  #tableAccess(opcode: number): void {
    this.#context.features.add('reference-types')
    const type = this.#table('table')
    this.#charge(GAS_PLAIN)
    if (opcode === 0x26) {
      this.#pop(type)
      this.#pop(I32)
      return
    }
    this.#pop(I32)
    this.#push(type, NODE_SAFE)
  }
}
