/**
 * Whether two byte strings are equal, in a time that depends on their lengths alone. For what a stranger may try to guess byte by
 * byte: secrets, authentication codes, capabilities. The lengths themselves are no secret.
 *
 * Every byte is looked at and nothing branches on one, so an optimising compiler has no early exit to take; `bench/timing.ts`
 * measures that it found none.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  // Both indices are below both lengths.
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}
