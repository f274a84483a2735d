import { chacha20 } from '@noble/ciphers/chacha.js'

const BLOCK_BYTES = 64
const BUFFER_BYTES = 256
/** Blocks under one nonce: the 32-bit counter's range less one buffer, a whole number of buffers. */
const NONCE_BLOCKS = 2 ** 32 - BUFFER_BYTES / BLOCK_BYTES

/**
 * The ChaCha20 key stream of a seed (RFC 8439, section 2.4), read from its start and never twice. How a program splits its
 * requests changes nothing in the bytes it gets.
 */
export class RandomStream {
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(12)
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #bufferUsed = BUFFER_BYTES
  #block = 0

  /** @param seed - 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#key = seed
  }

  fill(target: Uint8Array): void {
    let done = 0
    while (done < target.length) {
      if (this.#bufferUsed === BUFFER_BYTES) {
        const whole = Math.floor((target.length - done) / BUFFER_BYTES) * BUFFER_BYTES
        if (whole > 0) {
          done += this.#generate(target.subarray(done, done + whole))
          continue
        }
        this.#generate(this.#buffer)
        this.#bufferUsed = 0
      }
      const count = Math.min(target.length - done, BUFFER_BYTES - this.#bufferUsed)
      target.set(this.#buffer.subarray(this.#bufferUsed, this.#bufferUsed + count), done)
      this.#bufferUsed += count
      done += count
    }
  }

  /** Fills whole buffers, and returns the bytes filled: fewer than asked where a nonce is used up. */
  #generate(target: Uint8Array): number {
    const blocks = Math.min(target.length / BLOCK_BYTES, NONCE_BLOCKS - this.#block)
    const part = target.subarray(0, blocks * BLOCK_BYTES)
    part.fill(0)
    chacha20(this.#key, this.#nonce, part, part, this.#block)
    this.#block += blocks
    if (this.#block === NONCE_BLOCKS) {
      this.#block = 0
      // 2^46 bytes before the first byte of the nonce comes round: no gas limit reaches that.
      this.#nonce[0] = (this.#nonce[0] as number) + 1
    }
    return part.length
  }
}
