/**
 * The field GF(2^8) with the polynomial x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4). No tables and no branches on values: what is
 * multiplied here are secrets, and memory that depends on them would tell.
 */

/** Product of two bytes. */
export function multiply(a: number, b: number): number {
  let product = 0
  let shifted = a
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -((b >> bit) & 1)
    shifted = (shifted << 1) ^ (0x11b & -(shifted >> 7))
  }
  return product
}

/** The inverse of a non-zero byte, as its 254th power; 0 for 0. */
export function invert(a: number): number {
  let result = 1
  let square = a
  // 254 = 0b11111110: every square but the first.
  for (let bit = 1; bit < 8; bit++) {
    square = multiply(square, square)
    result = multiply(result, square)
  }
  return result
}
