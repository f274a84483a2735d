/** A growing byte buffer with the encodings a module needs. */
export class ModuleWriter {
  bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(capacity = 1_024) {
    this.bytes = new Uint8Array(capacity)
  }

  /** Makes room for `count` more bytes; amortised O(1) by doubling. */
  reserve(count: number): void {
    const wanted = this.length + count
    if (wanted <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  u8(byte: number): void {
    if (this.length === this.bytes.length) this.reserve(1)
    this.bytes[this.length++] = byte
  }

  u32(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.u8(rest)
  }

  s32(value: number): void {
    let rest = value | 0
    while (rest < -64 || rest > 63) {
      this.u8((rest & 0x7f) | 0x80)
      rest >>= 7
    }
    this.u8(rest & 0x7f)
  }

  /** Writes fixed opcodes and immediates. */
  code(...bytes: readonly number[]): void {
    for (const byte of bytes) this.u8(byte)
  }

  /** Copies `source[start, end)`; a loop, because most spans are a few bytes and `subarray` allocates. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start
    this.reserve(count)
    if (count > 64) this.bytes.set(source.subarray(start, end), this.length)
    else for (let i = 0, to = this.length; i < count; i++) this.bytes[to + i] = source[start + i] as number // in range
    this.length += count
  }

  name(text: string): void {
    const encoded = new TextEncoder().encode(text)
    this.u32(encoded.length)
    this.copy(encoded, 0, encoded.length)
  }

  /** Writes what `body` holds as a section (or anything length-prefixed). */
  section(id: number, body: ModuleWriter): void {
    this.u8(id)
    this.sized(body)
  }

  sized(body: ModuleWriter): void {
    this.u32(body.length)
    this.copy(body.bytes, 0, body.length)
  }

  reset(): void {
    this.length = 0
  }
}
