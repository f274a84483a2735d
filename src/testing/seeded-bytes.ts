import { chacha20 } from '@noble/ciphers/chacha.js'
import type { ByteSource } from '../core/learning/byte-source.ts'

/** Bytes that look random and are the same for the same seed. For tests and simulations; never for secrets. */
export function seededBytes(seed: number): ByteSource {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setFloat64(0, seed)
  const nonce = new Uint8Array(12)
  const buffer = new Uint8Array(4_096)
  let block = 0
  let at = buffer.length
  const refill = () => {
    chacha20(key, nonce, new Uint8Array(buffer.length), buffer, block)
    block += buffer.length / 64
    at = 0
  }
  return {
    bytes: (count) => {
      const out = new Uint8Array(count)
      for (let filled = 0; filled < count; ) {
        if (at === buffer.length) refill()
        const taken = Math.min(count - filled, buffer.length - at)
        out.set(buffer.subarray(at, at + taken), filled)
        at += taken
        filled += taken
      }
      return out
    },
  }
}
