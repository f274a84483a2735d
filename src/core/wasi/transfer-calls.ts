import { FDFLAG, FILETYPE, RIGHT, WHENCE } from './abi.ts'
import type { Descriptor } from './descriptors.ts'
import { Fault, fail } from './fault.ts'
import type { Call, Host } from './host.ts'
import type { FileNode } from './nodes.ts'
import { fileOffset } from './offsets.ts'
import { buffers } from './vectors.ts'

interface Vectors {
  readonly pointer: number
  readonly count: number
  /** Where the count of bytes moved goes. */
  readonly result: number
}

/** Moving bytes between guest memory and descriptors, and where in a file that happens. */
export const TRANSFER_CALLS = {
  fd_read: (host, fd: number, pointer: number, count: number, result: number) => {
    const descriptor = transferable(host, fd, RIGHT.fdRead)
    const { node } = descriptor
    const vectors = { pointer, count, result }
    if (node.filetype === FILETYPE.unknown) {
      scatter(host, vectors, (length) => node.pipe.read(length))
      return
    }
    descriptor.offset += readFile(host, asFile(descriptor), { ...vectors, offset: descriptor.offset })
  },

  fd_pread: (host, fd: number, pointer: number, count: number, offset: bigint, result: number) => {
    const descriptor = seekable(host, fd, RIGHT.fdRead | RIGHT.fdSeek)
    readFile(host, asFile(descriptor), { pointer, count, result, offset: fileOffset(offset) })
  },

  fd_write: (host, fd: number, pointer: number, count: number, result: number) => {
    const descriptor = transferable(host, fd, RIGHT.fdWrite)
    const { node } = descriptor
    const vectors = { pointer, count, result }
    if (node.filetype === FILETYPE.unknown) {
      gather(host, vectors, (bytes) => {
        host.budget.spendBytes(bytes.length)
        node.pipe.write(bytes)
        return bytes.length
      })
      return
    }
    const file = asFile(descriptor)
    const offset = (descriptor.flags & FDFLAG.append) !== 0 ? file.content.size : descriptor.offset
    const written = writeFile(host, file, { ...vectors, offset })
    if (written > 0) descriptor.offset = offset + written
  },

  // As POSIX has it, and unlike Linux, the offset counts even where plain writes append.
  fd_pwrite: (host, fd: number, pointer: number, count: number, offset: bigint, result: number) => {
    const descriptor = seekable(host, fd, RIGHT.fdWrite | RIGHT.fdSeek)
    writeFile(host, asFile(descriptor), { pointer, count, result, offset: fileOffset(offset) })
  },

  fd_seek: (host, fd: number, delta: bigint, whence: number, result: number) => {
    // Asking where one is needs no more than the right to tell.
    const right = whence === WHENCE.cur && delta === 0n ? RIGHT.fdTell : RIGHT.fdSeek
    const descriptor = seekable(host, fd, right)
    host.memory.check(result, 8)
    const base = seekBase(descriptor, whence)
    const offset = BigInt(base) + delta
    if (offset < 0n || offset > BigInt(Number.MAX_SAFE_INTEGER)) fail('inval')
    descriptor.offset = Number(offset)
    host.memory.setU64(result, offset)
  },

  fd_tell: (host, fd: number, result: number) => {
    const descriptor = seekable(host, fd, RIGHT.fdTell)
    host.memory.setU64(result, BigInt(descriptor.offset))
  },
} satisfies Record<string, Call>

/**
 * A descriptor bytes can go through.
 *
 * @throws EISDIR; EBADF when it was not opened for reading or writing, which is what POSIX programs know it by; ENOTCAPABLE
 * when it lacks another right.
 */
function transferable(host: Host, fd: number, rights: number): Descriptor {
  const descriptor = host.descriptors.get(fd)
  if (descriptor.node.filetype === FILETYPE.directory) fail('isdir')
  // The right to seek includes the right to tell.
  const held = (descriptor.rights & RIGHT.fdSeek) !== 0 ? descriptor.rights | RIGHT.fdTell : descriptor.rights
  const lacking = rights & ~held
  if ((lacking & (RIGHT.fdRead | RIGHT.fdWrite)) !== 0) fail('badf')
  if (lacking !== 0) fail('notcapable')
  return descriptor
}

/** A descriptor with positions. @throws ESPIPE for a pipe, and as {@link transferable}. */
function seekable(host: Host, fd: number, rights: number): Descriptor {
  if (host.descriptors.get(fd).node.filetype === FILETYPE.unknown) fail('spipe')
  return transferable(host, fd, rights)
}

/** The file of a descriptor known to hold neither a directory nor a pipe. */
function asFile(descriptor: Descriptor): FileNode {
  return descriptor.node.filetype === FILETYPE.regularFile ? descriptor.node : fail('badf')
}

function seekBase(descriptor: Descriptor, whence: number): number {
  switch (whence) {
    case WHENCE.set:
      return 0
    case WHENCE.cur:
      return descriptor.offset
    case WHENCE.end:
      return asFile(descriptor).content.size
    default:
      return fail('inval')
  }
}

function readFile(host: Host, file: FileNode, options: Vectors & { offset: number }): number {
  let at = options.offset
  return scatter(host, options, (length) => {
    const part = file.content.read(at, length)
    at += part.length
    return part
  })
}

function writeFile(host: Host, file: FileNode, options: Vectors & { offset: number }): number {
  if (file.volume.readOnly) fail('rofs')
  let at = options.offset
  const written = gather(host, options, (bytes) => {
    const count = file.content.write(at, bytes, host.budget)
    at += count
    return count
  })
  if (written > 0) host.tree.modified(file)
  return written
}

/** Fills the buffers from a source until it gives less than it is asked for. */
function scatter(host: Host, vectors: Vectors, source: (length: number) => Uint8Array): number {
  const list = buffers(host, vectors.pointer, vectors.count)
  host.memory.check(vectors.result, 4)
  let total = 0
  for (const buffer of list) {
    const part = source(buffer.length)
    host.budget.spendBytes(part.length)
    buffer.set(part)
    total += part.length
    if (part.length < buffer.length) break
  }
  host.memory.setU32(vectors.result, total)
  return total
}

/** Empties the buffers into a sink until it takes less than it is given; an error after the first bytes is left for later. */
function gather(host: Host, vectors: Vectors, sink: (bytes: Uint8Array) => number): number {
  const list = buffers(host, vectors.pointer, vectors.count)
  host.memory.check(vectors.result, 4)
  let total = 0
  for (const bytes of list) {
    let count = 0
    try {
      count = sink(bytes)
    } catch (error) {
      if (!(error instanceof Fault) || total === 0) throw error
    }
    total += count
    if (count < bytes.length) break
  }
  host.memory.setU32(vectors.result, total)
  return total
}
