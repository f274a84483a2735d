import { compareBytes } from './bytes.ts'
import { InvalidMessageError, LimitExceededError } from './errors.ts'
import type { DecodeLimits } from './limits.ts'

/**
 * One linear pass over CBOR bytes that refuses whatever is too big, too deep, too many or not the one deterministic encoding,
 * before a decoder allocates anything for it.
 *
 * Deterministic here means RFC 8949 section 4.2 as narrowed by DAG-CBOR (https://ipld.io/specs/codecs/dag-cbor/spec/): shortest
 * integers, definite lengths, map keys that are text, sorted by length and then bytes, and no duplicates. Tags and floating point are
 * refused as well: content ids travel as text, and nothing that peers agree on is a float.
 */
interface Frame {
  /** Values still to come; for a map, keys and values. */
  left: number
  readonly isMap: boolean
  previousKey: Uint8Array | null
}

const MAJOR = { uint: 0, negint: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const

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
  #offset = 0
  #items = 0

  constructor(bytes: Uint8Array, options: { what: string; limits: DecodeLimits }) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = options.what
    this.#limits = options.limits
  }

  run(): void {
    this.#limit('bytes', this.#bytes.length, this.#limits.bytesMax)
    do {
      this.#value()
      this.#closeFull()
    } while (this.#stack.length > 0)
    if (this.#offset !== this.#bytes.length) throw this.#malformed('has bytes after its end')
  }

  #value(): void {
    this.#limit('items', ++this.#items, this.#limits.itemsMax)
    const start = this.#offset
    const head = this.#readHead()
    const frame = this.#stack.at(-1)
    const isKey = frame?.isMap === true && frame.left % 2 === 0
    if (isKey && head.major !== MAJOR.text) throw this.#malformed('has a map key that is not text')
    if (frame !== undefined) frame.left--
    this.#offset = head.end
    if (head.major === MAJOR.bytes || head.major === MAJOR.text) {
      if (head.argument > this.#bytes.length - head.end) throw this.#malformed('ends inside a string')
      this.#offset = head.end + head.argument
      if (head.major === MAJOR.text) this.#checkText(head.end)
      // `frame` is present whenever `isKey` is.
      if (isKey) this.#checkKey(frame as Frame, this.#bytes.subarray(start, this.#offset))
    } else if (head.major === MAJOR.list || head.major === MAJOR.map) {
      this.#open(head)
    } else if (head.major === MAJOR.tag) {
      throw this.#malformed('has a tag')
    }
  }

  #open(head: Head): void {
    this.#limit('depth', this.#stack.length + 1, this.#limits.depthMax)
    // Every entry takes a byte at least: a lying count is refused before it is believed.
    const left = head.major === MAJOR.map ? head.argument * 2 : head.argument
    if (left > this.#bytes.length - this.#offset) throw this.#malformed('ends inside a list or map')
    this.#stack.push({ left, isMap: head.major === MAJOR.map, previousKey: null })
  }

  #closeFull(): void {
    while (this.#stack.at(-1)?.left === 0) this.#stack.pop()
  }

  #checkText(start: number): void {
    let seen = 0
    for (let at = start; at < this.#offset; at++) seen |= this.#bytes[at] as number
    if (seen < 0x80) return
    try {
      utf8Decoder.decode(this.#bytes.subarray(start, this.#offset))
    } catch {
      throw this.#malformed('has text that is not UTF-8')
    }
  }

  /** Encoded keys compare in the deterministic order, since a longer text has a greater head. */
  #checkKey(frame: Frame, key: Uint8Array): void {
    if (frame.previousKey !== null && compareBytes(frame.previousKey, key) >= 0) {
      throw this.#malformed('has map keys out of order or twice')
    }
    frame.previousKey = key
  }

  #readHead(): Head {
    const first = this.#bytes[this.#offset]
    if (first === undefined) throw this.#malformed('ends too early')
    const info = first & 0x1f
    this.#head.major = first >> 5
    this.#head.argument = info
    this.#head.end = this.#offset + 1
    if (this.#head.major === MAJOR.simple) {
      if (info < 20 || info > 22) throw this.#malformed('has a float, undefined or unknown simple value')
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

/**
 * Checks raw bytes against limits and against the one deterministic encoding.
 *
 * @param options.what - Names the thing in errors.
 * @throws {@link LimitExceededError} When it is too large, deep or many.
 * @throws {@link InvalidMessageError} When it is malformed.
 */
export function scanCbor(bytes: Uint8Array, options: { what: string; limits: DecodeLimits }): void {
  new Scanner(bytes, options).run()
}
