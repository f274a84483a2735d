/**
 * A fast 53-bit hash of a string, for names and colours only, never for evidence.
 *
 * Two multiply-xorshift lanes with the constants of MurmurHash3's finaliser.
 */
export function hash53(text: string): number {
  let low = 0xdeadbeef
  let high = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    low = Math.imul(low ^ code, 0x85ebca6b)
    high = Math.imul(high ^ code, 0xc2b2ae35)
    low ^= low >>> 13
    high ^= high >>> 16
  }
  low = Math.imul(low ^ (high >>> 15), 0xc2b2ae35)
  high = Math.imul(high ^ (low >>> 13), 0x85ebca6b)
  return 4_294_967_296 * (high & 0x1fffff) + (low >>> 0)
}
