import { BodyEmitter } from './body-emitter.ts'
import { BodyScanner } from './body-scanner.ts'
import type { ConstExpr } from './const-expr.ts'
import {
  bulkBody,
  exportWrapperBody,
  type HelperIndices,
  importWrapperBody,
  memoryGrowBody,
  refillBody,
  spendBody,
} from './helpers.ts'
import { MODULE_LIMITS } from './limits.ts'
import {
  EXPORT_BANK,
  EXPORT_PAGES,
  EXPORT_START,
  EXPORT_STATE,
  EXPORT_STATUS,
  STATE_RUNNING,
  STATUS_NONE,
} from './meter-layout.ts'
import type { ModuleLimits, ModuleReport, PreparedModule } from './module.ts'
import { type FunctionType, innerFunction, type Layout } from './module-context.ts'
import { FUNCREF, I32 } from './opcodes.ts'
import { type ElementSegment, type ParsedModule, parseModule, signatureOf } from './section-reader.ts'
import { WASI_IMPORTS } from './wasi-imports.ts'
import { ModuleWriter } from './writer.ts'

export interface PrepareOptions {
  /** Functions of `wasi_snapshot_preview1` that the module may import, with signatures as in `wasi-imports.ts`. */
  readonly imports?: ReadonlyMap<string, string>
}

/**
 * Checks a WebAssembly module and rewrites it for the sandbox.
 *
 * The result computes what the original does, on every engine with the same bytes and the same gas, and ends itself when its
 * gas or stack is used up. What was done to it:
 * - every function takes and returns the *state* (`meter-layout.ts`): gas and frame weight, charged in cells
 *   (`charge-cells.ts`) at function entry, loop headers and where paths part;
 * - exports and imports go through wrappers, so that the host sees the guest's own signatures;
 * - NaN bits are canonical wherever they could be seen (`nan-flow.ts`);
 * - bulk and growing instructions are charged by length; memory and table maxima are clamped;
 * - the start function becomes an export that `Meter.start` calls, so that it is metered too;
 * - custom sections, unreachable code and the exports of tables and reference globals are dropped.
 *
 * Deterministic: same bytes and limits, same bytes out. Linear in the size of the module.
 *
 * @param bytes - The original module; not modified.
 * @throws {@link InvalidModuleError} With offset, field, value and limit, if the module is malformed, over a limit or asks for
 * what the sandbox does not give.
 */
export function prepareModule(
  bytes: Uint8Array,
  limits: ModuleLimits = MODULE_LIMITS,
  options: PrepareOptions = {},
): PreparedModule {
  const module = parseModule(bytes, limits, options.imports ?? WASI_IMPORTS)
  const prepared = new Assembler(module).assemble()
  return { bytes: prepared, report: report(module, prepared.length) }
}

/** Index spaces of the prepared module: the guest's indices stay, everything added comes after them. */
class Assembler {
  readonly #module: ParsedModule
  readonly #types: ModuleWriter = new ModuleWriter()
  #typeCount = 0
  readonly #extraTypes = new Map<string, number>()
  readonly #layout: Layout
  readonly #indices: HelperIndices
  /** Type index and body of each function that is added, in the order of their indices. */
  readonly #added: { readonly type: number; readonly body: ModuleWriter }[] = []
  readonly #exportWrappers = new Map<number, number>()

  constructor(module: ParsedModule) {
    this.#module = module
    const { types, functionTypes, importCount, globalTypes } = module.context
    for (const type of types) this.#addType(type.params, type.results)
    for (const type of types) this.#addType([...type.params, I32], [...type.results, I32])
    const helpers = functionTypes.length + importCount
    const globals = globalTypes.length
    this.#indices = {
      stateGlobal: globals,
      bankGlobal: globals + 1,
      statusGlobal: globals + 2,
      pagesGlobal: globals + 3,
      refill: helpers,
      spend: helpers + 1,
    }
    this.#layout = {
      typeBase: types.length,
      resultBlockType: (results) => this.#extraType([], results),
      importWrapperBase: functionTypes.length,
      refill: helpers,
      bulkBytes: helpers + 2,
      bulkElements: helpers + 3,
      memoryGrow: helpers + 4,
      stateGlobal: globals,
      bankGlobal: globals + 1,
    }
    this.#addFunctions()
  }

  assemble(): Uint8Array<ArrayBuffer> {
    const module = this.#module
    const code = this.#code() // first: it may add types and learns which functions are referred to
    const out = new ModuleWriter(module.bytes.length * 2)
    out.code(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    this.#typeSection(out)
    this.#importSection(out)
    this.#functionSection(out)
    this.#tableSection(out)
    this.#memorySection(out)
    this.#globalSection(out)
    this.#exportSection(out)
    this.#elementSection(out)
    if (module.context.dataCount >= 0) {
      const body = new ModuleWriter(8)
      body.u32(module.context.dataCount)
      out.section(12, body)
    }
    out.section(10, code)
    if (module.data !== null) {
      out.u8(11)
      out.u32(module.data.end - module.data.start)
      out.copy(module.bytes, module.data.start, module.data.end)
    }
    return out.bytes.slice(0, out.length)
  }

  #addType(params: Iterable<number>, results: Iterable<number>): number {
    const lists = [Array.from(params), Array.from(results)]
    this.#types.u8(0x60)
    for (const list of lists) {
      this.#types.u32(list.length)
      for (const type of list) this.#types.u8(type)
    }
    return this.#typeCount++
  }

  #extraType(params: readonly number[], results: Iterable<number>): number {
    const list = Array.from(results)
    const key = `${params.join()}:${list.join()}`
    const known = this.#extraTypes.get(key)
    if (known !== undefined) return known
    const index = this.#addType(params, list)
    this.#extraTypes.set(key, index)
    return index
  }

  #addFunctions(): void {
    const module = this.#module
    const { context } = module
    const { types, functionTypes, importCount } = context
    for (let i = 0; i < importCount; i++) {
      const type = functionTypes[i] as number // imports come first
      const body = importWrapperBody(this.#indices, types[type] as FunctionType, i)
      this.#added.push({ type: this.#layout.typeBase + type, body })
    }
    const one = this.#extraType([I32], [I32])
    const two = this.#extraType([I32, I32], [I32, I32])
    this.#added.push({ type: one, body: refillBody(this.#indices) })
    this.#added.push({ type: this.#extraType([I32, I32], [I32]), body: spendBody(this.#indices) })
    this.#added.push({ type: two, body: bulkBody(this.#indices, 'bytes') })
    this.#added.push({ type: two, body: bulkBody(this.#indices, 'elements') })
    if (context.hasMemory) this.#added.push({ type: two, body: memoryGrowBody(this.#indices) })
    for (const { kind, index } of module.exports) if (kind === 0) this.#addExportWrapper(index)
    if (module.start >= 0) this.#addExportWrapper(module.start)
  }

  #addExportWrapper(index: number): void {
    if (this.#exportWrappers.has(index)) return
    const { context } = this.#module
    const type = context.functionTypes[index] as number // exports were checked when read
    const target = innerFunction(context, this.#layout, index)
    this.#exportWrappers.set(index, context.functionTypes.length + this.#added.length)
    this.#added.push({ type, body: exportWrapperBody(this.#indices, context.types[type] as FunctionType, target) })
  }

  #code(): ModuleWriter {
    const { bytes, bodies, context } = this.#module
    const code = new ModuleWriter(bytes.length * 2)
    const body = new ModuleWriter(4_096)
    const scanner = new BodyScanner(context, bytes)
    const emitter = new BodyEmitter(context, this.#layout, bytes, scanner, body)
    code.u32(bodies.length / 2 + this.#added.length)
    for (let i = 0; i < bodies.length; i += 2) {
      const type = context.functionTypes[context.importCount + i / 2] as number // as many as bodies: checked
      scanner.scan(type, bodies[i] as number, bodies[i + 1] as number) // pairs
      body.reset()
      emitter.emit()
      code.sized(body)
    }
    for (const added of this.#added) code.sized(added.body)
    return code
  }

  #typeSection(out: ModuleWriter): void {
    const body = new ModuleWriter(this.#types.length + 8)
    body.u32(this.#typeCount)
    body.copy(this.#types.bytes, 0, this.#types.length)
    out.section(1, body)
  }

  #importSection(out: ModuleWriter): void {
    const { imports, context } = this.#module
    if (imports.length === 0) return
    const body = new ModuleWriter()
    body.u32(imports.length)
    for (const [i, { module, name }] of imports.entries()) {
      body.name(module)
      body.name(name)
      body.u8(0)
      body.u32(context.functionTypes[i] as number) // imports come first
    }
    out.section(2, body)
  }

  #functionSection(out: ModuleWriter): void {
    const { context } = this.#module
    const body = new ModuleWriter()
    const defined = context.functionTypes.length - context.importCount
    body.u32(defined + this.#added.length)
    for (let i = context.importCount; i < context.functionTypes.length; i++) {
      body.u32(this.#layout.typeBase + (context.functionTypes[i] as number)) // in range
    }
    for (const { type } of this.#added) body.u32(type)
    out.section(3, body)
  }

  #tableSection(out: ModuleWriter): void {
    const { tables } = this.#module
    if (tables.length === 0) return
    const body = new ModuleWriter()
    body.u32(tables.length)
    for (const { type, min, max } of tables) {
      body.code(type, 1)
      body.u32(min)
      body.u32(max)
    }
    out.section(4, body)
  }

  #memorySection(out: ModuleWriter): void {
    const { memory } = this.#module
    if (memory === null) return
    const body = new ModuleWriter(16)
    body.code(1, 1)
    body.u32(memory.min)
    body.u32(memory.max)
    out.section(5, body)
  }

  #globalSection(out: ModuleWriter): void {
    const { globals, memory } = this.#module
    const body = new ModuleWriter()
    body.u32(globals.length + 4)
    for (const { type, mutable, init } of globals) {
      body.code(type, mutable ? 1 : 0)
      this.#constExpr(body, init)
    }
    // In the order of HelperIndices. Until the meter is started, any call finds the stack used up.
    for (const value of [STATE_RUNNING, 0, STATUS_NONE, memory?.max ?? 0]) {
      body.code(I32, 1, 0x41)
      body.s32(value)
      body.u8(0x0b)
    }
    out.section(6, body)
  }

  #exportSection(out: ModuleWriter): void {
    const module = this.#module
    const indices = this.#indices
    const body = new ModuleWriter()
    const kept = module.exports.filter(({ kind, index }) => {
      // A reference got from a table or global would be a function that expects the state.
      return kind !== 1 && !(kind === 3 && (module.globals[index]?.type ?? 0) <= FUNCREF)
    })
    body.u32(kept.length + 4 + (module.start >= 0 ? 1 : 0))
    for (const { name, kind, index } of kept) {
      body.name(name)
      body.u8(kind)
      body.u32(kind === 0 ? (this.#exportWrappers.get(index) as number) : index) // every exported function has one
    }
    for (const [name, global] of [
      [EXPORT_STATE, indices.stateGlobal],
      [EXPORT_BANK, indices.bankGlobal],
      [EXPORT_STATUS, indices.statusGlobal],
      [EXPORT_PAGES, indices.pagesGlobal],
    ] as const) {
      body.name(name)
      body.u8(3)
      body.u32(global)
    }
    if (module.start >= 0) {
      body.name(EXPORT_START)
      body.u8(0)
      body.u32(this.#exportWrappers.get(module.start) as number) // added with the functions
    }
    out.section(7, body)
  }

  #elementSection(out: ModuleWriter): void {
    const { elements, context } = this.#module
    const referred = [...context.referredFunctions]
    if (elements.length === 0 && referred.length === 0) return
    const body = new ModuleWriter()
    body.u32(elements.length + (referred.length > 0 ? 1 : 0))
    for (const segment of elements) this.#element(body, segment)
    if (referred.length > 0) {
      body.code(3, 0)
      this.#functionIndices(body, referred)
    }
    out.section(9, body)
  }

  #element(body: ModuleWriter, segment: ElementSegment): void {
    const { mode, table, offset, type, functions, expressions } = segment
    const explicit = mode === 'active' && (table !== 0 || type !== FUNCREF)
    const flags = (mode === 'active' ? (explicit ? 2 : 0) : mode === 'passive' ? 1 : 3) | (expressions === null ? 0 : 4)
    body.u8(flags)
    if (explicit) body.u32(table)
    if (offset !== null) this.#constExpr(body, offset)
    if ((flags & 3) !== 0) body.u8(expressions === null ? 0 : type)
    if (functions !== null) this.#functionIndices(body, functions)
    if (expressions === null) return
    body.u32(expressions.length)
    for (const expression of expressions) this.#constExpr(body, expression)
  }

  #functionIndices(body: ModuleWriter, functions: readonly number[]): void {
    body.u32(functions.length)
    for (const index of functions) body.u32(innerFunction(this.#module.context, this.#layout, index))
  }

  #constExpr(body: ModuleWriter, expr: ConstExpr): void {
    if (expr.function < 0) return body.copy(this.#module.bytes, expr.start, expr.end)
    // `ref.func` is the only instruction of such an expression: nothing takes a reference as operand there.
    body.u8(0xd2)
    body.u32(innerFunction(this.#module.context, this.#layout, expr.function))
    body.u8(0x0b)
  }
}

function report(module: ParsedModule, preparedBytes: number): ModuleReport {
  const { context, memory } = module
  return {
    bytes: module.bytes.length,
    preparedBytes,
    functions: context.functionTypes.length - context.importCount,
    imports: module.imports,
    exports: module.exports.map(({ name }) => name),
    abi: abiOf(module),
    memoryPagesMin: memory?.min ?? 0,
    memoryPagesMax: memory?.max ?? 0,
    features: [...context.features].sort(),
  }
}

/** A WASI command exports `_start`, a reactor of ours `starling_alloc` and `starling_run`; both their memory. */
function abiOf(module: ParsedModule): ModuleReport['abi'] {
  const { context, exports } = module
  const signature = (name: string): string | null => {
    const found = exports.find((entry) => entry.name === name && entry.kind === 0)
    if (found === undefined) return null
    return signatureOf(context.types[context.functionTypes[found.index] as number] as FunctionType) // checked when read
  }
  if (!exports.some(({ name, kind }) => name === 'memory' && kind === 2)) return null
  if (signature('starling_alloc') === 'i:i' && signature('starling_run') === 'ii:I') return 'reactor'
  return signature('_start') === ':' ? 'wasi-command' : null
}
