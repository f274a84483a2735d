import { fail } from './fault.ts'

const NO_MEMORY: { readonly buffer: ArrayBuffer } = { buffer: new ArrayBuffer(0) }
const NO_BYTES = new Uint8Array(NO_MEMORY.buffer)
const NO_VIEW = new DataView(NO_MEMORY.buffer)
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The guest's linear memory with every access checked: what lies outside answers EFAULT. Views are made again whenever the
 * buffer changed, since `memory.grow` detaches the old one. Pointers arrive as signed 32-bit integers.
 */
export class GuestMemory {
  #memory = NO_MEMORY
  #bytes = NO_BYTES
  #view = NO_VIEW

  bind(memory: { readonly buffer: ArrayBuffer }): void {
    this.#memory = memory
  }

  #refresh(): void {
    const { buffer } = this.#memory
    if (this.#bytes.buffer === buffer) return
    this.#bytes = new Uint8Array(buffer)
    this.#view = new DataView(buffer)
  }

  /**
   * Checks a range and gives its start as an unsigned number; the view is fresh only after it. Alignment is not asked for,
   * as in other hosts.
   */
  check(pointer: number, length: number): number {
    this.#refresh()
    const start = pointer >>> 0
    if (start + length > this.#bytes.length) fail('fault')
    return start
  }

  /** A live view of a range; valid until the guest runs again. */
  bytes(pointer: number, length: number): Uint8Array {
    const size = length >>> 0
    const start = this.check(pointer, size)
    return this.#bytes.subarray(start, start + size)
  }

  /** The text of a range. @throws EFAULT outside of memory, EILSEQ when it is not UTF-8. */
  text(pointer: number, length: number): string {
    const bytes = this.bytes(pointer, length)
    if (bytes.length <= 32) {
      // Most paths are short and ASCII, where a decoder's call costs more than the loop.
      let text = ''
      let i = 0
      for (; i < bytes.length; i++) {
        const byte = bytes[i] as number
        if (byte >= 0x80) break
        text += String.fromCharCode(byte)
      }
      if (i === bytes.length) return text
    }
    try {
      return UTF8.decode(bytes)
    } catch {
      return fail('ilseq')
    }
  }

  u8(pointer: number): number {
    const at = this.check(pointer, 1)
    return this.#view.getUint8(at)
  }

  u16(pointer: number): number {
    const at = this.check(pointer, 2)
    return this.#view.getUint16(at, true)
  }

  u32(pointer: number): number {
    const at = this.check(pointer, 4)
    return this.#view.getUint32(at, true)
  }

  u64(pointer: number): bigint {
    const at = this.check(pointer, 8)
    return this.#view.getBigUint64(at, true)
  }

  setU8(pointer: number, value: number): void {
    const at = this.check(pointer, 1)
    this.#view.setUint8(at, value)
  }

  setU16(pointer: number, value: number): void {
    const at = this.check(pointer, 2)
    this.#view.setUint16(at, value, true)
  }

  setU32(pointer: number, value: number): void {
    const at = this.check(pointer, 4)
    this.#view.setUint32(at, value, true)
  }

  setU64(pointer: number, value: bigint): void {
    const at = this.check(pointer, 8)
    this.#view.setBigUint64(at, value, true)
  }
}
