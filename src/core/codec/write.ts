import { compareBytes, utf8 } from './bytes.ts'

/**
 * One pass over a value that writes its only encoding: RFC 8949 section 4.2 as narrowed by DAG-CBOR, see scan.ts for what that leaves.
 *
 * Everything that is signed, hashed, sent or stored goes through here, so that some six encodings surround each unit of a job. The maps of
 * a protocol have few shapes: the order and the bytes of a shape's keys are found once.
 */
const MAJOR = { uint: 0x00, negint: 0x20, bytes: 0x40, text: 0x60, list: 0x80, map: 0xa0 } as const
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6

/** The longest head: a major type and eight bytes. */
const HEAD_BYTES_MAX = 9
/** Up to here a loop writes text faster than the platform's encoder. */
const LOOPED_TEXT_CHARS_MAX = 64
/** The buffer that is kept between two encodings; one that had to grow is let go. */
const BUFFER_BYTES = 64 * 1024
/** Shapes of maps that are remembered; those of free-form dictionaries come and go. */
const SHAPES_MAX = 512
const SHAPE_KEYS_MAX = 32

/** The keys of a map as they are enumerated, and in the order they are written. */
interface Shape {
  readonly enumerated: readonly string[]
  readonly sorted: readonly { readonly key: string; readonly encoded: Uint8Array }[]
}

const shapes = new Map<string, Shape>()

class Writer {
  readonly #kept: Uint8Array
  #bytes: Uint8Array
  #at = 0

  constructor(bufferBytes: number) {
    this.#kept = new Uint8Array(bufferBytes)
    this.#bytes = this.#kept
  }

  run(value: unknown): Uint8Array {
    this.#bytes = this.#kept
    this.#at = 0
    this.#value(value)
    return this.#bytes.slice(0, this.#at)
  }

  #value(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        if (!Number.isSafeInteger(value)) throw unfit(value)
        return value < 0 ? this.#head(MAJOR.negint, -1 - value) : this.#head(MAJOR.uint, value)
      case 'bigint':
        return this.#bigInteger(value)
      case 'boolean':
        return this.#byte(value ? TRUE : FALSE)
      case 'object':
        return this.#object(value)
      default:
        throw unfit(value)
    }
  }

  #object(value: object | null): void {
    if (value === null) return this.#byte(NULL)
    if (value instanceof Uint8Array) {
      this.#head(MAJOR.bytes, value.length)
      return this.#raw(value)
    }
    if (Array.isArray(value)) {
      this.#head(MAJOR.list, value.length)
      for (const each of value) this.#value(each)
      return
    }
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof Map || value instanceof Set)
      throw unfit(value)
    this.#map(value as Readonly<Record<string, unknown>>)
  }

  #map(map: Readonly<Record<string, unknown>>): void {
    const { sorted } = shapeOf(Object.keys(map))
    this.#head(MAJOR.map, sorted.length)
    for (const { key, encoded } of sorted) {
      this.#raw(encoded)
      this.#value(map[key])
    }
  }

  #text(text: string): void {
    const { length } = text
    if (length <= LOOPED_TEXT_CHARS_MAX) {
      const start = this.#at
      this.#head(MAJOR.text, length)
      this.#reserve(length)
      const bytes = this.#bytes
      let seen = 0
      for (let i = 0, at = this.#at; i < length; i++, at++) {
        const code = text.charCodeAt(i)
        seen |= code
        bytes[at] = code
      }
      if (seen < 0x80) {
        this.#at += length
        return
      }
      this.#at = start
    }
    const encoded = utf8(text)
    this.#head(MAJOR.text, encoded.length)
    this.#raw(encoded)
  }

  #bigInteger(value: bigint): void {
    const argument = value < 0n ? -1n - value : value
    const major = value < 0n ? MAJOR.negint : MAJOR.uint
    if (argument <= Number.MAX_SAFE_INTEGER) return this.#head(major, Number(argument))
    if (argument >= 1n << 64n) throw unfit(value)
    this.#byte(major | 27)
    this.#reserve(8)
    for (let shift = 56n; shift >= 0n; shift -= 8n) this.#bytes[this.#at++] = Number((argument >> shift) & 0xffn)
  }

  /** A major type and its argument, in the fewest bytes. */
  #head(major: number, argument: number): void {
    this.#reserve(HEAD_BYTES_MAX)
    const bytes = this.#bytes
    if (argument < 24) {
      bytes[this.#at++] = major | argument
      return
    }
    const width = argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8
    bytes[this.#at++] = major | (width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27)
    const high = Math.floor(argument / 0x1_0000_0000)
    for (let i = width - 1; i >= 4; i--) bytes[this.#at++] = high >>> (8 * (i - 4))
    for (let i = Math.min(width, 4) - 1; i >= 0; i--) bytes[this.#at++] = argument >>> (8 * i)
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = byte
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#at + count))
    larger.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = larger
  }
}

/** In the order of the encodings, which is by length and then bytes: a longer text has a greater head. */
function shapeOf(enumerated: readonly string[]): Shape {
  const name = enumerated.join()
  const known = shapes.get(name)
  // Keys may hold the comma, and none makes the same name as one that is empty.
  const same = known?.enumerated.length === enumerated.length
  if (same && known.enumerated.every((key, index) => key === enumerated[index])) return known
  const sorted = enumerated
    .map((key) => ({ key, encoded: encodedKey(key) }))
    .sort((a, b) => compareBytes(a.encoded, b.encoded))
  const shape = { enumerated, sorted }
  if (known === undefined && enumerated.length <= SHAPE_KEYS_MAX && shapes.size < SHAPES_MAX) shapes.set(name, shape)
  return shape
}

function encodedKey(key: string): Uint8Array {
  return new Writer(HEAD_BYTES_MAX + 3 * key.length).run(key)
}

function unfit(value: unknown): TypeError {
  const shown = typeof value === 'object' ? value?.constructor?.name : `${typeof value} ${String(value)}`
  return new TypeError(
    `Nothing that peers agree on is a ${shown}: integers, text, bytes, lists, maps, booleans and null`,
  )
}

const writer = new Writer(BUFFER_BYTES)

/**
 * Writes the deterministic encoding of a value: safe integers and bigints of 64 bits, text, bytes, lists, maps, booleans and null.
 *
 * @throws TypeError For anything else; it is a mistake of the caller.
 */
export function writeCbor(value: unknown): Uint8Array {
  return writer.run(value)
}
