import { InvalidMessageError, LimitExceededError } from './errors.ts'
import { DEPTH_MAX, type DecodeLimits } from './limits.ts'

/** Up to here a loop makes text faster than the platform's decoder. */
const LOOPED_TEXT_BYTES_MAX = 24

/** Keys are few and short: each is made once. A power of two. */
const KEYS_REMEMBERED = 1_024
const REMEMBERED_KEY_BYTES_MAX = 24

/** Keys by a hash of their bytes; a newer one takes the place of an older one. */
const remembered: (string | undefined)[] = new Array(KEYS_REMEMBERED).fill(undefined)

const MAJOR = { uint: 0, negint: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const

/** Simple values: false, true and null. Source: RFC 8949, section 3.3. */
const FALSE = 20
const NULL = 22
const SIMPLE = [false, true, null] as const

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * One linear pass over CBOR bytes that refuses whatever is too big, too deep, too many or not the one deterministic encoding, each
 * before anything is made of it, and makes the value on the way. A pass of its own for the checks would cost as much again, and small
 * messages are most of what a node does.
 *
 * Deterministic here means RFC 8949 section 4.2 as narrowed by DAG-CBOR (https://ipld.io/specs/codecs/dag-cbor/spec/): shortest
 * integers, definite lengths, map keys that are text, sorted by length and then bytes, and no duplicates. Tags and floating point are
 * refused as well: content ids travel as text, and nothing that peers agree on is a float.
 */
class Scanner {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  readonly #limits: DecodeLimits
  #offset = 0
  #items = 0
  /** The argument of the head that was read last. */
  #argument = 0

  constructor(bytes: Uint8Array, options: { what: string; limits: DecodeLimits }) {
    // Not Node's own kind of bytes, whose slices are no copies.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = options.what
    this.#limits = options.limits
  }

  run(): unknown {
    this.#limit('bytes', this.#bytes.length, this.#limits.bytesMax)
    const value = this.#value(1)
    if (this.#offset !== this.#bytes.length) throw this.#malformed('has bytes after its end')
    return value
  }

  /** @param depth - Of a list or map that begins here. */
  #value(depth: number): unknown {
    switch (this.#readHead()) {
      case MAJOR.uint:
        return this.#integer()
      case MAJOR.negint:
        return negated(this.#integer())
      case MAJOR.bytes: {
        const start = this.#skipString()
        // A copy: what is kept of a message must not keep the whole message.
        return this.#bytes.slice(start, this.#offset)
      }
      case MAJOR.text:
        return this.#text(this.#skipString())
      case MAJOR.list:
        return this.#list(depth)
      case MAJOR.map:
        return this.#map(depth)
      case MAJOR.simple:
        return SIMPLE[this.#argument - FALSE]
      default:
        throw this.#malformed('has a tag')
    }
  }

  #list(depth: number): unknown[] {
    const count = this.#open(depth, this.#argument)
    const list: unknown[] = []
    for (let i = 0; i < count; i++) list.push(this.#value(depth + 1))
    return list
  }

  #map(depth: number): Record<string, unknown> {
    const count = this.#open(depth, this.#argument * 2) / 2
    const map: Record<string, unknown> = {}
    let lastStart = -1
    let lastEnd = -1
    for (let i = 0; i < count; i++) {
      const start = this.#offset
      if (this.#readHead() !== MAJOR.text) throw this.#malformed('has a map key that is not text')
      const key = this.#keyText(this.#skipString())
      if (lastStart >= 0 && this.#compareKeys(lastStart, lastEnd, start) >= 0) {
        throw this.#malformed('has map keys out of order or twice')
      }
      // An object cannot hold it like another key, and no message has one.
      if (key === '__proto__') throw this.#malformed('has the key __proto__')
      lastStart = start
      lastEnd = this.#offset
      map[key] = this.#value(depth + 1)
    }
    return map
  }

  /** @returns How many values are inside. Every one takes a byte at least: a lying count is refused before it is believed. */
  #open(depth: number, count: number): number {
    this.#limit('depth', depth, Math.min(this.#limits.depthMax, DEPTH_MAX))
    if (count > this.#bytes.length - this.#offset) throw this.#malformed('ends inside a list or map')
    return count
  }

  /** @returns Where the string begins; it ends at the offset. */
  #skipString(): number {
    const start = this.#offset
    if (this.#argument > this.#bytes.length - start) throw this.#malformed('ends inside a string')
    this.#offset = start + this.#argument
    return start
  }

  /** Beyond 2^53 the head's argument has lost its last bits. */
  #integer(): number | bigint {
    return this.#argument <= Number.MAX_SAFE_INTEGER ? this.#argument : this.#view.getBigUint64(this.#offset - 8)
  }

  /** The text of a key, the same string each time: a new one would have to be looked up among all names before it can name anything. */
  #keyText(start: number): string {
    const length = this.#offset - start
    if (length > REMEMBERED_KEY_BYTES_MAX) return this.#text(start)
    let hash = length
    for (let at = start; at < this.#offset; at++) hash = (Math.imul(hash, 31) + (this.#bytes[at] as number)) | 0
    const place = (hash ^ (hash >>> 10)) & (KEYS_REMEMBERED - 1)
    const known = remembered[place]
    if (known !== undefined && this.#isText(start, known)) return known
    const text = this.#text(start)
    remembered[place] = text
    return text
  }

  /** Whether the bytes are this text; never for text beyond ASCII, whose characters and bytes differ. */
  #isText(start: number, text: string): boolean {
    if (text.length !== this.#offset - start) return false
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code >= 0x80 || code !== this.#bytes[start + i]) return false
    }
    return true
  }

  #isAscii(start: number): boolean {
    let seen = 0
    for (let at = start; at < this.#offset; at++) seen |= this.#bytes[at] as number
    return seen < 0x80
  }

  #text(start: number): string {
    if (this.#offset - start <= LOOPED_TEXT_BYTES_MAX && this.#isAscii(start)) {
      let text = ''
      for (let at = start; at < this.#offset; at++) text += String.fromCharCode(this.#bytes[at] as number)
      return text
    }
    try {
      return utf8Decoder.decode(this.#bytes.subarray(start, this.#offset))
    } catch {
      throw this.#malformed('has text that is not UTF-8')
    }
  }

  /**
   * Compares the encoded key from `start` on with the one before it. Encoded keys compare in the deterministic order, since a longer text
   * has a greater head.
   */
  #compareKeys(lastStart: number, lastEnd: number, start: number): number {
    const shared = Math.min(lastEnd - lastStart, this.#offset - start)
    for (let i = 0; i < shared; i++) {
      const difference = (this.#bytes[lastStart + i] as number) - (this.#bytes[start + i] as number)
      if (difference !== 0) return difference
    }
    return lastEnd - lastStart - (this.#offset - start)
  }

  /** @returns The major type of the value that begins here; its argument is kept. */
  #readHead(): number {
    if (++this.#items > this.#limits.itemsMax) this.#limit('items', this.#items, this.#limits.itemsMax)
    const first = this.#bytes[this.#offset]
    if (first === undefined) throw this.#malformed('ends too early')
    const major = first >> 5
    const info = first & 0x1f
    if (major === MAJOR.simple) {
      if (info < FALSE || info > NULL) throw this.#malformed('has a float, undefined or unknown simple value')
    } else if (info >= 24) {
      this.#readArgument(info)
      return major
    }
    this.#argument = info
    this.#offset++
    return major
  }

  #readArgument(info: number): void {
    if (info > 27) throw this.#malformed('has an indefinite or reserved length')
    const width = 1 << (info - 24)
    const at = this.#offset + 1
    if (at + width > this.#bytes.length) throw this.#malformed('ends inside a number')
    const value = this.#unsigned(at, width)
    if (width === 8 && this.#view.getUint8(at) >= 0x80) throw this.#malformed('has an integer of more than 63 bits')
    const shortest = width === 1 ? 24 : 2 ** (4 * width)
    if (value < shortest) throw this.#malformed('has a number in more bytes than it needs')
    this.#argument = value
    this.#offset = at + width
  }

  /** Values beyond 2^53 lose precision, which only their size test sees. */
  #unsigned(at: number, width: number): number {
    if (width === 1) return this.#view.getUint8(at)
    if (width === 2) return this.#view.getUint16(at)
    if (width === 4) return this.#view.getUint32(at)
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4)
  }

  #limit(quantity: string, value: number, limit: number): void {
    if (value <= limit) return
    throw new LimitExceededError(`${this.#what} has ${quantity} ${value}, limit ${limit}`, {
      field: `${this.#what}.${quantity}`,
      value,
      limit,
    })
  }

  #malformed(why: string): InvalidMessageError {
    return new InvalidMessageError(`${this.#what} ${why} (at byte ${this.#offset})`, {
      field: this.#what,
      value: this.#offset,
      limit: 'deterministic CBOR',
    })
  }
}

function negated(value: number | bigint): number | bigint {
  if (typeof value === 'bigint' || value === Number.MAX_SAFE_INTEGER) return -1n - BigInt(value)
  return -1 - value
}

/**
 * Reads untrusted bytes: integers (bigint beyond 2^53 − 1), text, bytes, lists, maps, booleans and null.
 *
 * @param options.what - Names the thing in errors.
 * @throws {@link LimitExceededError} When it is too large, deep or many.
 * @throws {@link InvalidMessageError} When it is malformed, or not the one deterministic encoding.
 */
export function readCbor(bytes: Uint8Array, options: { what: string; limits: DecodeLimits }): unknown {
  return new Scanner(bytes, options).run()
}
