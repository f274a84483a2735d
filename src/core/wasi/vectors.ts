import { RECORD_BYTES } from './abi.ts'
import { fail } from './fault.ts'
import { IOVEC_GAS } from './gas.ts'
import type { Host } from './host.ts'
import { IOVECS_MAX } from './limits.ts'

const TOTAL_BYTES_MAX = 2 ** 32 - 1

/**
 * The buffers of a scatter or gather call, all of them checked before any is touched.
 *
 * @throws EFAULT; EINVAL for too many, or for more bytes than the count of bytes moved can say.
 */
export function buffers(host: Host, pointer: number, count: number): Uint8Array[] {
  const vectorCount = count >>> 0
  if (vectorCount > IOVECS_MAX) fail('inval')
  const { memory } = host
  const start = memory.check(pointer, vectorCount * RECORD_BYTES.iovec)
  host.budget.spendFor(vectorCount, IOVEC_GAS)
  const list: Uint8Array[] = []
  let total = 0
  for (let i = 0; i < vectorCount; i++) {
    const at = start + i * RECORD_BYTES.iovec
    const bytes = memory.bytes(memory.u32(at), memory.u32(at + 4))
    total += bytes.length
    if (total > TOTAL_BYTES_MAX) fail('inval')
    list.push(bytes)
  }
  return list
}
