import { FDFLAGS_ALL, RIFLAGS_ALL, SDFLAGS_ALL } from './abi.ts'
import { fail } from './fault.ts'
import type { Call, Host } from './host.ts'
import { buffers } from './vectors.ts'

/** Sockets, of which there are none: a unit has no network. Arguments are checked as if there could be. */
export const SOCKET_CALLS = {
  sock_accept: (host, fd: number, flags: number, result: number) => {
    host.descriptors.get(fd)
    if ((flags & ~FDFLAGS_ALL) !== 0) fail('inval')
    host.memory.check(result, 4)
    fail('notsock')
  },

  sock_recv: (host, fd: number, pointer: number, count: number, flags: number, size: number, flagsOut: number) => {
    host.descriptors.get(fd)
    if ((flags & ~RIFLAGS_ALL) !== 0) fail('inval')
    host.memory.check(flagsOut, 2)
    notSocket(host, { pointer, count, size })
  },

  sock_send: (host, fd: number, pointer: number, count: number, flags: number, size: number) => {
    host.descriptors.get(fd)
    if (flags !== 0) fail('inval')
    notSocket(host, { pointer, count, size })
  },

  sock_shutdown: (host, fd: number, how: number) => {
    host.descriptors.get(fd)
    if (how === 0 || (how & ~SDFLAGS_ALL) !== 0) fail('inval')
    fail('notsock')
  },
} satisfies Record<string, Call>

function notSocket(host: Host, vectors: { pointer: number; count: number; size: number }): never {
  buffers(host, vectors.pointer, vectors.count)
  host.memory.check(vectors.size, 4)
  return fail('notsock')
}
