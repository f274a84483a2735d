import { InvalidMessageError, LimitExceededError } from './errors.ts'
import type { DecodeLimits } from './limits.ts'

/**
 * One linear pass over CBOR bytes that refuses whatever is too big, too deep, too many or not the one deterministic encoding, each
 * before anything is made of it, and makes the value on the way. A pass of its own for the checks would cost as much again, and small
 * messages are most of what a node does.
 *
 * Deterministic here means RFC 8949 section 4.2 as narrowed by DAG-CBOR (https://ipld.io/specs/codecs/dag-cbor/spec/): shortest
 * integers, definite lengths, map keys that are text, sorted by length and then bytes, and no duplicates. Tags and floating point are
 * refused as well: content ids travel as text, and nothing that peers agree on is a float.
 */
interface Frame {
  /** Values still to come; for a map, keys and values. */
  left: number
  readonly isMap: boolean
  /** Where the encoding of the last key begins and ends; -1 before the first. */
  keyStart: number
  keyEnd: number
  key: string
  readonly list: unknown[]
  readonly map: Record<string, unknown>
}

const NO_LIST: unknown[] = []
const NO_MAP: Record<string, unknown> = {}

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

/** The argument of a CBOR head: its value, and where the head ends. */
interface Head {
  major: number
  argument: number
  end: number
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

class Scanner {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  readonly #limits: DecodeLimits
  readonly #head: Head = { major: 0, argument: 0, end: 0 }
  readonly #stack: Frame[] = []
  #frame: Frame | undefined
  #result: unknown
  #offset = 0
  #items = 0

  constructor(bytes: Uint8Array, options: { what: string; limits: DecodeLimits }) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = options.what
    this.#limits = options.limits
  }

  run(): unknown {
    this.#limit('bytes', this.#bytes.length, this.#limits.bytesMax)
    do {
      this.#value()
      this.#closeFull()
    } while (this.#frame !== undefined)
    if (this.#offset !== this.#bytes.length) throw this.#malformed('has bytes after its end')
    return this.#result
  }

  #value(): void {
    if (++this.#items > this.#limits.itemsMax) this.#limit('items', this.#items, this.#limits.itemsMax)
    const start = this.#offset
    const head = this.#readHead()
    const frame = this.#frame
    const isKey = frame?.isMap === true && frame.left % 2 === 0
    if (isKey && head.major !== MAJOR.text) throw this.#malformed('has a map key that is not text')
    if (frame !== undefined) frame.left--
    this.#offset = head.end
    switch (head.major) {
      case MAJOR.text:
        this.#skipString(head)
        // `frame` is present whenever `isKey` is.
        if (isKey) this.#key(frame as Frame, start, this.#keyText(head.end))
        else this.#put(this.#text(head.end))
        break
      case MAJOR.bytes:
        this.#skipString(head)
        // A copy, also of Node's buffers: what is kept of a message must not keep the whole message.
        this.#put(new Uint8Array(this.#bytes.subarray(head.end, this.#offset)))
        break
      case MAJOR.list:
      case MAJOR.map:
        this.#open(head)
        break
      case MAJOR.uint:
        this.#put(this.#integer(head))
        break
      case MAJOR.negint:
        this.#put(negated(this.#integer(head)))
        break
      case MAJOR.simple:
        this.#put(SIMPLE[head.argument - FALSE])
        break
      default:
        throw this.#malformed('has a tag')
    }
  }

  #skipString(head: Head): void {
    if (head.argument > this.#bytes.length - head.end) throw this.#malformed('ends inside a string')
    this.#offset = head.end + head.argument
  }

  /** Beyond 2^53 the head's argument has lost its last bits. */
  #integer(head: Head): number | bigint {
    return head.argument <= Number.MAX_SAFE_INTEGER ? head.argument : this.#view.getBigUint64(head.end - 8)
  }

  #put(value: unknown): void {
    const frame = this.#frame
    if (frame === undefined) this.#result = value
    else if (frame.isMap) frame.map[frame.key] = value
    else frame.list.push(value)
  }

  #open(head: Head): void {
    this.#limit('depth', this.#stack.length + 1, this.#limits.depthMax)
    // Every entry takes a byte at least: a lying count is refused before it is believed.
    const isMap = head.major === MAJOR.map
    const left = isMap ? head.argument * 2 : head.argument
    if (left > this.#bytes.length - this.#offset) throw this.#malformed('ends inside a list or map')
    const list: unknown[] = isMap ? NO_LIST : []
    const map: Record<string, unknown> = isMap ? {} : NO_MAP
    this.#put(isMap ? map : list)
    this.#frame = { left, isMap, keyStart: -1, keyEnd: -1, key: '', list, map }
    this.#stack.push(this.#frame)
  }

  #closeFull(): void {
    while (this.#frame?.left === 0) {
      this.#stack.pop()
      this.#frame = this.#stack[this.#stack.length - 1]
    }
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

  #text(start: number): string {
    let seen = 0
    for (let at = start; at < this.#offset; at++) seen |= this.#bytes[at] as number
    if (seen < 0x80 && this.#offset - start <= LOOPED_TEXT_BYTES_MAX) {
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

  /** Encoded keys compare in the deterministic order, since a longer text has a greater head. */
  #key(frame: Frame, start: number, key: string): void {
    if (frame.keyStart >= 0 && this.#compareKeys(frame, start) >= 0) {
      throw this.#malformed('has map keys out of order or twice')
    }
    // An object cannot hold it like another key, and no message has one.
    if (key === '__proto__') throw this.#malformed('has the key __proto__')
    frame.keyStart = start
    frame.keyEnd = this.#offset
    frame.key = key
  }

  #compareKeys({ keyStart, keyEnd }: Frame, start: number): number {
    const shared = Math.min(keyEnd - keyStart, this.#offset - start)
    for (let i = 0; i < shared; i++) {
      const difference = (this.#bytes[keyStart + i] as number) - (this.#bytes[start + i] as number)
      if (difference !== 0) return difference
    }
    return keyEnd - keyStart - (this.#offset - start)
  }

  #readHead(): Head {
    const first = this.#bytes[this.#offset]
    if (first === undefined) throw this.#malformed('ends too early')
    const info = first & 0x1f
    this.#head.major = first >> 5
    this.#head.argument = info
    this.#head.end = this.#offset + 1
    if (this.#head.major === MAJOR.simple) {
      if (info < FALSE || info > NULL) throw this.#malformed('has a float, undefined or unknown simple value')
    } else if (info >= 24) {
      this.#readArgument(info)
    }
    return this.#head
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
    this.#head.argument = value
    this.#head.end = at + width
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
