import { fail } from './fault.ts'

const I64_MAX = 2n ** 63n - 1n

/**
 * A position or length in a file, which crosses the boundary as an unsigned 64-bit number, though the interface's `filedelta`
 * can only say the lower half of them.
 *
 * @returns Exact below 2^53; above, more than any file can have.
 * @throws EINVAL above 2^63 - 1.
 */
export function fileOffset(value: bigint): number {
  const unsigned = BigInt.asUintN(64, value)
  if (unsigned > I64_MAX) fail('inval')
  return Number(unsigned)
}
