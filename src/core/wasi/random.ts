import { chacha20 } from '@noble/ciphers/chacha.js'

const BLOCK_BYTES = 64
const BUFFER_BYTES = 256
const NONCE_BYTES = 12

/** Blocks under one nonce: the 32-bit counter's range less one buffer, a whole number of buffers. */
const NONCE_BLOCKS = 2 ** 32 - BUFFER_BYTES / BLOCK_BYTES

/**
 * The ChaCha20 key stream of a seed (RFC 8439, section 2.4), read from its start and never twice. How a program splits its
 * requests changes nothing in the bytes it gets.
 */
export class RandomStream {
  readonly #key: Uint8Array
  #nonce = 0
  #block = 0
  #buffer = new Uint8Array(0)
  #bufferUsed = 0

  /** @param seed - 32 bytes. */
  constructor(seed: Uint8Array) {
    this.#key = seed
  }

  fill(target: Uint8Array): void {
    let done = 0
    while (done < target.length) {
      if (this.#bufferUsed === this.#buffer.length) {
        const whole = Math.floor((target.length - done) / BUFFER_BYTES) * BUFFER_BYTES
        if (whole > 0) {
          done += this.#generate(target.subarray(done, done + whole))
          continue
        }
        if (this.#buffer.length === 0) this.#buffer = new Uint8Array(BUFFER_BYTES)
        this.#generate(this.#buffer)
        this.#bufferUsed = 0
      }
      const part = this.#buffer.subarray(this.#bufferUsed, this.#bufferUsed + target.length - done)
      target.set(part, done)
      this.#bufferUsed += part.length
      done += part.length
    }
  }

  /** Fills whole buffers, and returns the bytes filled: fewer than asked where a nonce is used up. */
  #generate(target: Uint8Array): number {
    const blocks = Math.min(target.length / BLOCK_BYTES, NONCE_BLOCKS - this.#block)
    const part = target.subarray(0, blocks * BLOCK_BYTES)
    const nonce = new Uint8Array(NONCE_BYTES)
    // 256 nonces are 2^46 bytes: no gas limit reaches their end.
    nonce[0] = this.#nonce
    part.fill(0)
    chacha20(this.#key, nonce, part, part, this.#block)
    this.#block += blocks
    if (this.#block === NONCE_BLOCKS) {
      this.#block = 0
      this.#nonce++
    }
    return part.length
  }
}
