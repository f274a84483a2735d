/** Builds WebAssembly binaries by hand, right or deliberately wrong. */

export type Bytes = readonly number[]

export const I32 = 0x7f
export const I64 = 0x7e
export const F32 = 0x7d
export const F64 = 0x7c
export const V128 = 0x7b
export const FUNCREF = 0x70
export const EMPTY_BLOCK = 0x40

export function leb(value: number): Bytes {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return [...bytes, rest]
}

/** `i32.const value`. */
export function i32(value: number): Bytes {
  const bytes = [0x41]
  let rest = value | 0
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return [...bytes, rest & 0x7f]
}

export function text(value: string): Bytes {
  const encoded = new TextEncoder().encode(value)
  return [...leb(encoded.length), ...encoded]
}

export function vector(items: readonly Bytes[]): Bytes {
  return [...leb(items.length), ...items.flat()]
}

export function section(id: number, body: Bytes): Bytes {
  return [id, ...leb(body.length), ...body]
}

export function functionType(params: Bytes, results: Bytes): Bytes {
  return [0x60, ...leb(params.length), ...params, ...leb(results.length), ...results]
}

/** A body with its size: groups of locals as `[count, type]`, then instructions; the final `end` is added. */
export function body(instructions: Bytes, locals: readonly (readonly [number, number])[] = []): Bytes {
  const content = [...vector(locals.map(([count, type]) => [...leb(count), type])), ...instructions, 0x0b]
  return [...leb(content.length), ...content]
}

export interface ModuleParts {
  readonly types?: readonly Bytes[]
  /** Module, name, and description bytes of each import. */
  readonly imports?: readonly (readonly [string, string, Bytes])[]
  readonly functions?: Bytes
  readonly tables?: readonly Bytes[]
  readonly memories?: readonly Bytes[]
  readonly globals?: readonly Bytes[]
  readonly exports?: readonly (readonly [string, number, number])[]
  readonly start?: number
  readonly elements?: readonly Bytes[]
  readonly dataCount?: number
  readonly code?: readonly Bytes[]
  readonly data?: readonly Bytes[]
  /** Appended as it is. */
  readonly tail?: Bytes
}

export const HEADER: Bytes = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

export function moduleOf(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const out: number[] = [...HEADER]
  const add = (id: number, items: readonly Bytes[] | undefined): void => {
    // Not by spreading: some bodies have a million bytes.
    if (items !== undefined) for (const byte of section(id, vector(items))) out.push(byte)
  }
  add(1, parts.types)
  add(
    2,
    parts.imports?.map(([module, name, description]) => [...text(module), ...text(name), ...description]),
  )
  add(
    3,
    parts.functions?.map((type) => leb(type)),
  )
  add(4, parts.tables)
  add(5, parts.memories)
  add(6, parts.globals)
  add(
    7,
    parts.exports?.map(([name, kind, index]) => [...text(name), kind, ...leb(index)]),
  )
  if (parts.start !== undefined) out.push(...section(8, leb(parts.start)))
  add(9, parts.elements)
  if (parts.dataCount !== undefined) out.push(...section(12, leb(parts.dataCount)))
  add(10, parts.code)
  add(11, parts.data)
  out.push(...(parts.tail ?? []))
  return Uint8Array.from(out)
}

/** A module whose export `run` takes nothing and gives nothing, with a page of memory. */
export function runModule(
  instructions: Bytes,
  more: ModuleParts & { locals?: readonly (readonly [number, number])[] } = {},
): Uint8Array<ArrayBuffer> {
  const { locals, ...parts } = more
  return moduleOf({
    types: [functionType([], [])],
    functions: [0],
    memories: [[0, 1]],
    exports: [
      ['run', 0, 0],
      ['memory', 2, 0],
    ],
    code: [body(instructions, locals)],
    ...parts,
  })
}

export function repeat(count: number, bytes: Bytes): Bytes {
  const out: number[] = []
  for (let i = 0; i < count; i++) out.push(...bytes)
  return out
}
