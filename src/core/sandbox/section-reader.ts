import { type ConstExpr, readConstExpr, readValueType } from './const-expr.ts'
import { refuse } from './errors.ts'
import { PAGE_BYTES } from './limits.ts'
import { RESERVED_PREFIX } from './meter-layout.ts'
import type { ModuleImport, ModuleLimits } from './module.ts'
import { createContext, type FunctionType, type ModuleContext } from './module-context.ts'
import { EXTERNREF, FUNCREF, I32 } from './opcodes.ts'
import { ModuleReader } from './reader.ts'
import { WASI_MODULE } from './wasi-imports.ts'

export interface TableDeclaration {
  readonly type: number
  readonly min: number
  readonly max: number
}

export interface GlobalDeclaration {
  readonly type: number
  readonly mutable: boolean
  readonly init: ConstExpr
}

export interface ExportDeclaration {
  readonly name: string
  /** 0 function, 1 table, 2 memory, 3 global. */
  readonly kind: number
  readonly index: number
}

/** One element segment, with its items either as function indices or as expressions. */
export interface ElementSegment {
  readonly mode: 'active' | 'passive' | 'declarative'
  readonly table: number
  readonly offset: ConstExpr | null
  readonly type: number
  readonly functions: readonly number[] | null
  readonly expressions: readonly ConstExpr[] | null
}

/** Everything of a module but its code; code bodies and data stay where they are in `bytes`. */
export interface ParsedModule {
  readonly bytes: Uint8Array
  readonly context: ModuleContext
  readonly imports: ModuleImport[]
  readonly tables: TableDeclaration[]
  memory: { readonly min: number; readonly max: number } | null
  readonly globals: GlobalDeclaration[]
  readonly exports: ExportDeclaration[]
  /** -1 for none. */
  start: number
  readonly elements: ElementSegment[]
  /** Byte ranges of the function bodies, `start, end` alternating. */
  readonly bodies: number[]
  /** Byte range of the data section's content. */
  data: { readonly start: number; readonly end: number } | null
}

const SECTION_NAMES = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
  'code',
  'data',
  'data count',
] as const

/** Rank of each section id in the order that the format prescribes: the data count comes before the code. */
const SECTION_RANK = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10] as const

const VALUE_LETTERS: Readonly<Record<number, string>> = { 127: 'i', 126: 'I', 125: 'f', 124: 'F' }

/**
 * Parses a binary module (Core 2.0, chapter 5) against `limits`, refusing whatever the sandbox does not run.
 *
 * @param imports - Functions of `wasi_snapshot_preview1` a module may import, with their signatures as in `wasi-imports.ts`.
 * @throws {@link InvalidModuleError} With offset, field, value and limit.
 */
export function parseModule(
  bytes: Uint8Array,
  limits: ModuleLimits,
  imports: ReadonlyMap<string, string>,
): ParsedModule {
  return new SectionReader(bytes, limits, imports).read()
}

class SectionReader {
  readonly #reader: ModuleReader
  readonly #limits: ModuleLimits
  readonly #allowed: ReadonlyMap<string, string>
  readonly #context: ModuleContext
  readonly #module: ParsedModule
  #declaredCount = 0
  #dataSegments = 0

  constructor(bytes: Uint8Array, limits: ModuleLimits, allowed: ReadonlyMap<string, string>) {
    this.#reader = new ModuleReader(bytes)
    this.#limits = limits
    this.#allowed = allowed
    this.#context = createContext(limits)
    this.#module = {
      bytes,
      context: this.#context,
      imports: [],
      tables: [],
      memory: null,
      globals: [],
      exports: [],
      start: -1,
      elements: [],
      bodies: [],
      data: null,
    }
  }

  read(): ParsedModule {
    const reader = this.#reader
    const length = reader.bytes.length
    if (length > this.#limits.moduleBytesMax) refuse('module bytes', 0, length, this.#limits.moduleBytesMax)
    this.#header()
    let rank = 0
    while (reader.at < length) {
      reader.end = length
      const at = reader.at
      const id = reader.u8('section id')
      const size = reader.u32('section size')
      if (size > length - reader.at) refuse('section size', at + 1, size, length - reader.at)
      const end = reader.at + size
      reader.end = end
      if (id !== 0) rank = this.#checkOrder(id, at, rank)
      this.#section(id)
      if (reader.at !== end) refuse(`${SECTION_NAMES[id] ?? id} section end`, reader.at, reader.at, end)
    }
    this.#checkCounts()
    return this.#module
  }

  #header(): void {
    const reader = this.#reader
    const view = reader.bytes
    if (view[0] !== 0 || view[1] !== 0x61 || view[2] !== 0x73 || view[3] !== 0x6d)
      refuse('magic number', 0, 'not \\0asm')
    reader.at = 4
    for (const byte of [1, 0, 0, 0]) {
      const at = reader.at
      const found = reader.u8('version')
      if (found !== byte) refuse('version', at, found, 1)
    }
  }

  #checkOrder(id: number, at: number, rank: number): number {
    if (id === 13) refuse('feature', at, 'exception-handling')
    const next = SECTION_RANK[id]
    if (next === undefined) refuse('section id', at, id, 12)
    if (next <= rank) refuse('section order', at, SECTION_NAMES[id] ?? id, 'once and in order')
    return next
  }

  #section(id: number): void {
    const readers = [
      () => this.#custom(),
      () => this.#types(),
      () => this.#imports(),
      () => this.#functions(),
      () => this.#tables(),
      () => this.#memories(),
      () => this.#globals(),
      () => this.#exports(),
      () => this.#start(),
      () => this.#elements(),
      () => this.#code(),
      () => this.#data(),
      () => this.#dataCount(),
    ]
    readers[id]?.()
  }

  #checkCounts(): void {
    const end = this.#reader.bytes.length
    const bodies = this.#module.bodies.length / 2
    if (bodies !== this.#declaredCount) refuse('function bodies', end, bodies, this.#declaredCount)
    const declared = this.#context.dataCount
    if (declared >= 0 && this.#dataSegments !== declared) refuse('data segments', end, this.#dataSegments, declared)
  }

  /** Names and debugging data are dropped: they cost transfer and could differ without the code differing. */
  #custom(): void {
    this.#reader.name('custom section name', this.#limits.nameBytesMax)
    this.#reader.at = this.#reader.end
  }

  #types(): void {
    const reader = this.#reader
    const count = reader.count('types', this.#limits.typesMax)
    for (let i = 0; i < count; i++) {
      const form = reader.u8('type form')
      if (form !== 0x60) refuse('feature', reader.at - 1, form >= 0x4d && form <= 0x5f ? 'gc' : `type form ${form}`)
      const params = this.#valueTypes('parameters', this.#limits.paramsMax)
      const results = this.#valueTypes('results', this.#limits.resultsMax)
      if (results.length > 1) this.#context.features.add('multi-value')
      this.#context.types.push({ params, results })
    }
  }

  #valueTypes(field: string, limit: number): Uint8Array {
    const reader = this.#reader
    const types = new Uint8Array(reader.count(field, limit))
    for (let i = 0; i < types.length; i++) types[i] = readValueType(reader, this.#context, field)
    return types
  }

  #imports(): void {
    const reader = this.#reader
    const count = reader.count('imports', this.#limits.importsMax)
    for (let i = 0; i < count; i++) {
      const at = reader.at
      const module = reader.name('import module', this.#limits.nameBytesMax)
      const name = reader.name('import name', this.#limits.nameBytesMax)
      const kind = reader.u8('import kind')
      const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const
      if (kind !== 0) refuse('import', at, `${kinds[kind] ?? `kind ${kind}`} ${module}.${name}`, 'functions only')
      const signature = module === WASI_MODULE ? this.#allowed.get(name) : undefined
      if (signature === undefined) refuse('import', at, `${module}.${name}`, `functions of ${WASI_MODULE}`)
      const index = reader.index('import type', this.#context.types.length)
      const found = signatureOf(this.#context.types[index] as FunctionType) // in range: just checked
      if (found !== signature) refuse(`signature of import ${name}`, at, found, signature)
      this.#context.functionTypes.push(index)
      this.#module.imports.push({ module, name, kind: 'function' })
    }
    this.#context.importCount = count
  }

  #functions(): void {
    const reader = this.#reader
    this.#declaredCount = reader.count('functions', this.#limits.functionsMax)
    for (let i = 0; i < this.#declaredCount; i++) {
      this.#context.functionTypes.push(reader.index('function type', this.#context.types.length))
    }
  }

  #tables(): void {
    const reader = this.#reader
    const count = reader.count('tables', this.#limits.tablesMax)
    if (count > 1) this.#context.features.add('reference-types')
    let total = 0
    for (let i = 0; i < count; i++) {
      const at = reader.at
      const type = reader.u8('table type')
      if (type === 0x40) refuse('feature', at, 'function-references')
      if (type !== FUNCREF && type !== EXTERNREF) refuse('table type', at, `0x${type.toString(16)}`)
      const { min, max } = this.#bounds('table', 0xffff_ffff)
      total += min
      if (total > this.#limits.tableElementsMax) refuse('table elements', at, total, this.#limits.tableElementsMax)
      this.#context.tableTypes.push(type)
      this.#module.tables.push({ type, min, max: Math.min(max, this.#limits.tableElementsMax) })
    }
  }

  #memories(): void {
    const reader = this.#reader
    const at = reader.at
    const count = reader.u32('memories')
    if (count > 1) refuse('feature', at, 'multi-memory')
    if (count === 0) return
    const { min, max } = this.#bounds('memory', 65_536)
    if (min > this.#limits.memoryPagesMax) refuse('memory pages', at + 1, min, this.#limits.memoryPagesMax)
    this.#context.hasMemory = true
    this.#module.memory = { min, max: Math.min(max, this.#limits.memoryPagesMax) }
  }

  #bounds(field: string, limit: number): { min: number; max: number } {
    const reader = this.#reader
    const at = reader.at
    const flags = reader.u8(`${field} limits`)
    if ((flags & 4) !== 0 && flags < 8) refuse('feature', at, 'memory64')
    if ((flags & 2) !== 0 && flags < 8) refuse('feature', at, 'threads')
    if (flags > 1) refuse(`${field} limits`, at, flags, 1)
    const min = reader.count(`${field} minimum`, limit)
    const max = flags === 1 ? reader.count(`${field} maximum`, limit) : limit
    if (max < min) refuse(`${field} maximum`, at, max, min)
    return { min, max }
  }

  #globals(): void {
    const reader = this.#reader
    const count = reader.count('globals', this.#limits.globalsMax)
    for (let i = 0; i < count; i++) {
      const type = readValueType(reader, this.#context, 'global type')
      const mutability = reader.u8('global mutability')
      if (mutability > 1) refuse('global mutability', reader.at - 1, mutability, 1)
      const init = readConstExpr(reader, this.#context, type)
      this.#context.globalTypes.push(type)
      this.#context.globalMutable.push(mutability === 1)
      this.#module.globals.push({ type, mutable: mutability === 1, init })
    }
  }

  #exports(): void {
    const reader = this.#reader
    const context = this.#context
    const count = reader.count('exports', this.#limits.exportsMax)
    const counts = [
      context.functionTypes.length,
      context.tableTypes.length,
      context.hasMemory ? 1 : 0,
      context.globalTypes.length,
    ]
    const seen = new Set<string>()
    for (let i = 0; i < count; i++) {
      const at = reader.at
      const name = reader.name('export name', this.#limits.nameBytesMax)
      if (seen.has(name)) refuse('export name', at, name, 'once')
      if (name.startsWith(RESERVED_PREFIX)) refuse('export name', at, name, `not ${RESERVED_PREFIX}`)
      seen.add(name)
      const kind = reader.u8('export kind')
      const limit = counts[kind]
      if (limit === undefined) refuse('export kind', reader.at - 1, kind, 3)
      const index = reader.index('export index', limit)
      if (kind === 0) context.declaredFunctions.add(index)
      this.#module.exports.push({ name, kind, index })
    }
  }

  #start(): void {
    const at = this.#reader.at
    const index = this.#reader.index('start function', this.#context.functionTypes.length)
    const type = this.#context.types[this.#context.functionTypes[index] as number] as FunctionType // checked when read
    if (type.params.length + type.results.length > 0) refuse('start function type', at, signatureOf(type), ':')
    this.#module.start = index
  }

  #elements(): void {
    const reader = this.#reader
    const count = reader.count('element segments', this.#limits.elementSegmentsMax)
    let total = 0
    for (let i = 0; i < count; i++) {
      const at = reader.at
      const segment = this.#element()
      total += (segment.functions ?? segment.expressions ?? []).length
      if (total > this.#limits.tableElementsMax) refuse('elements', at, total, this.#limits.tableElementsMax)
      this.#context.elementTypes.push(segment.type)
      this.#module.elements.push(segment)
    }
  }

  #element(): ElementSegment {
    const reader = this.#reader
    const at = reader.at
    const flags = reader.count('element segment flags', 7)
    if (flags !== 0) this.#context.features.add('bulk-memory-operations')
    const active = (flags & 1) === 0
    const mode = active ? 'active' : (flags & 2) === 0 ? 'passive' : 'declarative'
    const counted = this.#context.tableTypes.length
    const explicit = active && (flags & 2) !== 0
    if (active && !explicit && counted === 0) refuse('table of an element segment', at, 0, -1)
    const table = explicit ? reader.index('table of an element segment', counted) : 0
    const offset = active ? readConstExpr(reader, this.#context, I32) : null
    const type = this.#elementType(flags)
    if (active && this.#context.tableTypes[table] !== type) refuse('type of an element segment', at, type)
    const expressions = (flags & 4) !== 0 ? this.#elementExpressions(type) : null
    const functions = expressions === null ? this.#elementFunctions() : null
    const length = (functions ?? expressions ?? []).length
    const min = this.#module.tables[table]?.min ?? 0
    if (offset !== null && offset.value !== null && (offset.value >>> 0) + length > min) {
      refuse('element segment end', at, (offset.value >>> 0) + length, min)
    }
    return { mode, table, offset, type, functions, expressions }
  }

  #elementType(flags: number): number {
    const reader = this.#reader
    if ((flags & 3) === 0) return FUNCREF
    const at = reader.at
    const type = reader.u8('element type')
    if ((flags & 4) === 0) {
      if (type !== 0) refuse('element kind', at, type, 0)
      return FUNCREF
    }
    if (type !== FUNCREF && type !== EXTERNREF) refuse('element type', at, type)
    return type
  }

  #elementFunctions(): number[] {
    const reader = this.#reader
    const count = reader.count('elements', this.#limits.tableElementsMax)
    const functions: number[] = []
    for (let i = 0; i < count; i++) {
      const index = reader.index('element function', this.#context.functionTypes.length)
      this.#context.declaredFunctions.add(index)
      functions.push(index)
    }
    return functions
  }

  #elementExpressions(type: number): ConstExpr[] {
    const reader = this.#reader
    const count = reader.count('elements', this.#limits.tableElementsMax)
    const expressions: ConstExpr[] = []
    for (let i = 0; i < count; i++) expressions.push(readConstExpr(reader, this.#context, type))
    return expressions
  }

  #dataCount(): void {
    this.#context.features.add('bulk-memory-operations')
    this.#context.dataCount = this.#reader.count('data segments', this.#limits.dataSegmentsMax)
  }

  #code(): void {
    const reader = this.#reader
    const at = reader.at
    const count = reader.u32('function bodies')
    if (count !== this.#declaredCount) refuse('function bodies', at, count, this.#declaredCount)
    for (let i = 0; i < count; i++) {
      const sizeAt = reader.at
      const size = reader.count('function body size', this.#limits.functionBytesMax)
      const start = reader.at
      if (size > reader.end - start) refuse('function body size', sizeAt, size, reader.end - start)
      this.#module.bodies.push(start, start + size)
      reader.at = start + size
    }
  }

  #data(): void {
    const reader = this.#reader
    const start = reader.at
    const count = reader.count('data segments', this.#limits.dataSegmentsMax)
    for (let i = 0; i < count; i++) {
      const at = reader.at
      const flags = reader.u32('data segment flags')
      if (flags > 2) refuse('data segment flags', at, flags, 2)
      if (flags !== 0) this.#context.features.add('bulk-memory-operations')
      if (flags === 2 && reader.u32('memory index') !== 0) refuse('feature', at, 'multi-memory')
      if (flags !== 1 && !this.#context.hasMemory) refuse('data segment', at, 'without memory')
      const offset = flags === 1 ? null : readConstExpr(reader, this.#context, I32)
      const length = reader.u32('data bytes')
      reader.skip('data bytes', length)
      const memoryBytes = (this.#module.memory?.min ?? 0) * PAGE_BYTES
      if (offset !== null && offset.value !== null && (offset.value >>> 0) + length > memoryBytes) {
        refuse('data segment end', at, (offset.value >>> 0) + length, memoryBytes)
      }
    }
    this.#dataSegments = count
    this.#module.data = { start, end: reader.at }
  }
}

/** A type in the letters of `wasi-imports.ts`; types that no import may have are `?`. */
export function signatureOf(type: FunctionType): string {
  const letters = (types: Uint8Array) => Array.from(types, (value) => VALUE_LETTERS[value] ?? '?').join('')
  return `${letters(type.params)}:${letters(type.results)}`
}
