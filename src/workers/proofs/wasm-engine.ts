import { invariant } from '../../core/codec/errors.ts'
import { InvalidProofError } from '../../core/learning/proofs/errors.ts'
import {
  type Element,
  type ElementList,
  type GroupEngine,
  generatorSeed,
  type Term,
} from '../../core/learning/proofs/group-engine.ts'
import { ELEMENT_BYTES, SCALAR_BYTES } from '../../core/learning/proofs/proof-size.ts'
import { modulo, writeScalars } from '../../core/learning/proofs/scalars.ts'
import { ProofsUnavailableError } from './errors.ts'
import { DERIVED_TOGETHER } from './limits.ts'

/** What `kernel/ristretto.c` exports; all are addresses and counts. */
interface Exports {
  readonly memory: WebAssembly.Memory
  heapBase(): number
  /** Bytes of an element in the kernel's own form. */
  affineBytes(): number
  decode(bytes: number, count: number, out: number): number
  derive(seeds: number, count: number, out: number, workspace: number): void
  encode(from: number, count: number, bytes: number): void
  encodeResult(bytes: number): void
  sum(elements: number, scalars: number, count: number, workspace: number): void
  fold(elements: number, span: number, factors: number, count: number, out: number, workspace: number): void
}

const PAGE_BYTES = 65_536
const LINE_BYTES = 64
const SEED_BYTES = 64
/** Workspaces, as the kernel's comments say. */
const SUM_BYTES = { all: 640 * 1024 + LINE_BYTES, each: 160 } as const
const FOLD_BYTES = { element: 200, factor: 1_536 } as const
const DERIVE_BYTES = 200

/** Elements in the kernel's form. They lie in JavaScript's memory and are copied in for each sum: 3 MB take a millisecond. */
class AffineList implements ElementList {
  readonly bytes: Uint8Array
  readonly length: number

  constructor(bytes: Uint8Array, length: number) {
    this.bytes = bytes
    this.length = length
  }
}

/** {@link GroupEngine} in WebAssembly. Its memory is a workspace: nothing stays in it between two calls. */
export class WasmEngine implements GroupEngine {
  readonly #exports: Exports
  readonly #affineBytes: number
  readonly #known = new Map<string, AffineList>()
  readonly #prefixes = new Map<string, AffineList>()
  #next = 0

  /** @throws {@link ProofsUnavailableError} If the module is not the kernel. */
  constructor(module: WebAssembly.Module) {
    const exports = new WebAssembly.Instance(module).exports as unknown as Exports
    if (!(exports.memory instanceof WebAssembly.Memory))
      throw new ProofsUnavailableError('The module of the proofs kernel exports no memory')
    this.#exports = exports
    this.#affineBytes = exports.affineBytes()
  }

  generators(name: string, count: number): ElementList {
    const prefix = this.#prefixes.get(`${name}/${count}`)
    if (prefix !== undefined) return prefix
    const known = this.#extended(name, count)
    const list = new AffineList(known.bytes.subarray(0, count * this.#affineBytes), count)
    this.#prefixes.set(`${name}/${count}`, list)
    return list
  }

  encode(list: ElementList): Uint8Array {
    const { bytes, length } = affine(list)
    this.#reset()
    const elements = this.#write(bytes)
    const out = this.#room(length * ELEMENT_BYTES)
    this.#exports.encode(elements, length, out)
    return this.#read(out, length * ELEMENT_BYTES)
  }

  areElements(elements: Uint8Array): boolean {
    const count = elements.length / ELEMENT_BYTES
    this.#reset()
    const bytes = this.#write(elements)
    return this.#exports.decode(bytes, count, this.#room(count * this.#affineBytes)) === count
  }

  sum(terms: readonly Term[]): Element {
    const count = terms.reduce((sum, term) => sum + ('element' in term ? 1 : term.scalars.length), 0)
    this.#reset()
    const elements = this.#room(count * this.#affineBytes)
    const scalars = this.#room(count * SCALAR_BYTES)
    const encoded = this.#room(ELEMENT_BYTES)
    const workspace = this.#room(SUM_BYTES.all + count * SUM_BYTES.each)
    const memory = new Uint8Array(this.#exports.memory.buffer)
    const view = new DataView(this.#exports.memory.buffer)
    let at = 0
    for (const term of terms) {
      const to = elements + at * this.#affineBytes
      const own = 'element' in term ? [term.scalar] : term.scalars
      if ('element' in term) {
        memory.set(term.element, encoded)
        if (this.#exports.decode(encoded, 1, to) !== 1)
          throw new InvalidProofError('An element is not in its one encoding', { field: 'element' })
      } else {
        const { from, list } = term
        invariant(from + own.length <= list.length, 'a term is within its list')
        memory.set(affine(list).bytes.subarray(from * this.#affineBytes, (from + own.length) * this.#affineBytes), to)
      }
      writeScalars(view, scalars + at * SCALAR_BYTES, own.map(modulo))
      at += own.length
    }
    this.#exports.sum(elements, scalars, count, workspace)
    this.#exports.encodeResult(encoded)
    return this.#read(encoded, ELEMENT_BYTES)
  }

  fold(list: ElementList, factors: readonly bigint[]): ElementList {
    const { bytes, length } = affine(list)
    const span = length / factors.length
    invariant(Number.isInteger(span), 'a list is folded into equal parts')
    this.#reset()
    const elements = this.#write(bytes)
    const scalars = this.#room(factors.length * SCALAR_BYTES)
    const out = this.#room(span * this.#affineBytes)
    const workspace = this.#room(span * FOLD_BYTES.element + factors.length * FOLD_BYTES.factor)
    writeScalars(new DataView(this.#exports.memory.buffer), scalars, factors.map(modulo))
    this.#exports.fold(elements, span, scalars, factors.length, out, workspace)
    return new AffineList(this.#read(out, span * this.#affineBytes), span)
  }

  /** The generators of a name as far as they are known, in the kernel's form; to be kept for {@link restore}. */
  saved(name: string): Uint8Array | null {
    return this.#known.get(name)?.bytes ?? null
  }

  /**
   * Takes generators that were kept, if they are what would be derived.
   *
   * @param bytes - As {@link saved} gave them.
   * @param sampled - Places that are derived anew and compared.
   * @returns Whether they were taken.
   */
  restore(name: string, bytes: Uint8Array, sampled: readonly number[]): boolean {
    const length = bytes.length / this.#affineBytes
    if (!Number.isInteger(length) || length < (this.#known.get(name)?.length ?? 0)) return false
    const agrees = sampled.every((index) => {
      const place = (index % length) * this.#affineBytes
      const derived = this.#derive(name, index % length, 1)
      return derived.every((byte, at) => bytes[place + at] === byte)
    })
    if (agrees) this.#known.set(name, new AffineList(bytes, length))
    return agrees
  }

  #extended(name: string, count: number): AffineList {
    const known = this.#known.get(name) ?? new AffineList(new Uint8Array(), 0)
    if (known.length >= count) return known
    const bytes = new Uint8Array(count * this.#affineBytes)
    bytes.set(known.bytes)
    for (let first = known.length; first < count; first += DERIVED_TOGETHER) {
      const some = Math.min(DERIVED_TOGETHER, count - first)
      bytes.set(this.#derive(name, first, some), first * this.#affineBytes)
    }
    const list = new AffineList(bytes, count)
    this.#known.set(name, list)
    return list
  }

  #derive(name: string, first: number, count: number): Uint8Array {
    this.#reset()
    const seeds = this.#room(count * SEED_BYTES)
    const out = this.#room(count * this.#affineBytes)
    const workspace = this.#room(count * DERIVE_BYTES)
    const memory = new Uint8Array(this.#exports.memory.buffer)
    for (let at = 0; at < count; at++) memory.set(generatorSeed(name, first + at), seeds + at * SEED_BYTES)
    this.#exports.derive(seeds, count, out, workspace)
    return this.#read(out, count * this.#affineBytes)
  }

  #reset(): void {
    this.#next = this.#exports.heapBase()
  }

  /** Room of its own for this many bytes, until the next reset. */
  #room(bytes: number): number {
    const at = this.#next
    this.#next += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES
    const { memory } = this.#exports
    const missing = this.#next - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES))
    return at
  }

  #write(bytes: Uint8Array): number {
    const at = this.#room(bytes.length)
    new Uint8Array(this.#exports.memory.buffer).set(bytes, at)
    return at
  }

  #read(at: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, at, bytes).slice()
  }
}

function affine(list: ElementList): AffineList {
  invariant(list instanceof AffineList, 'a list stays with its engine')
  return list
}
