import { refuse } from './errors.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A cursor over a module's bytes that refuses to read past `end`.
 *
 * Integers are LEB128 as in WebAssembly Core 2.0, section 5.2.2: at most ceil(N/7) bytes, unused bits of the last byte equal
 * to the sign (or zero). Every failure is an `InvalidModuleError` that names the field.
 */
export class ModuleReader {
  readonly bytes: Uint8Array
  at: number
  end: number

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  u8(field: string): number {
    if (this.at >= this.end) refuse(field, this.at, 'cut short', this.end)
    return this.bytes[this.at++] as number // in range: checked against end above
  }

  /** Reads an unsigned 32-bit integer. */
  u32(field: string): number {
    const first = this.u8(field)
    if (first < 0x80) return first
    let value = first & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.u8(field)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    const last = this.u8(field)
    if (last > 0x0f) refuse(field, this.at - 1, 'longer than 32 bits')
    return (value | (last << 28)) >>> 0
  }

  /** Reads an unsigned 32-bit integer and bounds it. */
  count(field: string, limit: number): number {
    const at = this.at
    const value = this.u32(field)
    if (value > limit) refuse(field, at, value, limit)
    return value
  }

  /** Reads an index that must be below `count`. */
  index(field: string, count: number): number {
    const at = this.at
    const value = this.u32(field)
    if (value >= count) refuse(field, at, value, count - 1)
    return value
  }

  /** Reads a signed integer of at most `bits` (32, 33 or 64) bits, exact only up to 33. */
  signed(field: string, bits: 32 | 33 | 64): number {
    let value = 0
    let scale = 1
    const lengthMax = Math.ceil(bits / 7)
    for (let length = 1; ; length++) {
      const byte = this.u8(field)
      value += (byte & 0x7f) * scale
      scale *= 128
      if (length === lengthMax) {
        this.#lastByte(field, byte, bits - 7 * (lengthMax - 1))
        return byte & 0x40 ? value - scale : value
      }
      if (byte < 0x80) return byte & 0x40 ? value - scale : value
    }
  }

  skip(field: string, count: number): void {
    if (count > this.end - this.at) refuse(field, this.at, count, this.end - this.at)
    this.at += count
  }

  name(field: string, bytesMax: number): string {
    const length = this.count(`${field} length`, bytesMax)
    const start = this.at
    this.skip(field, length)
    try {
      return utf8.decode(this.bytes.subarray(start, start + length))
    } catch {
      return refuse(field, start, 'not UTF-8')
    }
  }

  /** The bits of the last byte above the number's own must repeat its sign bit. */
  #lastByte(field: string, byte: number, bitsLeft: number): void {
    const signAndAbove = byte >> (bitsLeft - 1)
    const ones = (1 << (8 - bitsLeft)) - 1 // seven payload bits, less those below the sign bit
    if (signAndAbove !== 0 && signAndAbove !== ones)
      refuse(field, this.at - 1, `longer than ${bitsLeft} bits at the end`)
  }
}
