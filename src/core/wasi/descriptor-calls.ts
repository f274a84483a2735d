import { ADVICE_MAX, FDFLAGS_ALL, FILETYPE, RECORD_BYTES, RIGHT, RIGHTS_ALL } from './abi.ts'
import { fail } from './fault.ts'
import { ENTRY_GAS } from './gas.ts'
import type { Call, Host } from './host.ts'
import type { DirectoryNode, FileNode } from './nodes.ts'
import { fileOffset } from './offsets.ts'
import { checkTimeFlags, setTimes, writeFilestat } from './stat.ts'

const ENCODER = new TextEncoder()
const PREOPEN_DIRECTORY = 0

/** Descriptors themselves: what they are, may do, and stand for. */
export const DESCRIPTOR_CALLS = {
  fd_close: (host, fd: number) => host.descriptors.close(fd),

  fd_renumber: (host, from: number, to: number) => host.descriptors.renumber(from, to),

  fd_prestat_get: (host, fd: number, result: number) => {
    const name = preopenName(host, fd)
    const at = host.memory.check(result, RECORD_BYTES.prestat)
    host.memory.setU32(at, PREOPEN_DIRECTORY)
    host.memory.setU32(at + 4, name.length)
  },

  fd_prestat_dir_name: (host, fd: number, buffer: number, length: number) => {
    const name = preopenName(host, fd)
    if (length >>> 0 < name.length) fail('nametoolong')
    host.memory.bytes(buffer, name.length).set(name)
  },

  fd_fdstat_get: (host, fd: number, result: number) => {
    const { node, flags, rights, inheriting } = host.descriptors.get(fd)
    const { memory } = host
    const at = memory.check(result, RECORD_BYTES.fdstat)
    // The type, a byte and then four of padding around the flags.
    memory.setU64(at, BigInt(node.filetype | (flags << 16)))
    memory.setU64(at + 8, BigInt(rights))
    memory.setU64(at + 16, BigInt(inheriting))
  },

  fd_fdstat_set_flags: (host, fd: number, flags: number) => {
    const descriptor = host.descriptors.require(fd, RIGHT.fdFdstatSetFlags)
    if ((flags & ~FDFLAGS_ALL) !== 0) fail('inval')
    descriptor.flags = flags
  },

  fd_fdstat_set_rights: (host, fd: number, base: bigint, inheriting: bigint) => {
    const descriptor = host.descriptors.get(fd)
    const exceeds = (asked: bigint, held: number) => (BigInt.asUintN(64, asked) & ~BigInt(held)) !== 0n
    if (exceeds(base, descriptor.rights) || exceeds(inheriting, descriptor.inheriting)) fail('notcapable')
    descriptor.rights = Number(base) & RIGHTS_ALL
    descriptor.inheriting = Number(inheriting) & RIGHTS_ALL
  },

  fd_filestat_get: (host, fd: number, result: number) => {
    writeFilestat(host, result, host.descriptors.require(fd, RIGHT.fdFilestatGet).node)
  },

  fd_filestat_set_size: (host, fd: number, size: bigint) => {
    const file = fileOf(host, fd, RIGHT.fdFilestatSetSize)
    file.content.resize(fileOffset(size), host.budget)
    host.tree.modified(file)
  },

  fd_filestat_set_times: (host, fd: number, accessedNs: bigint, modifiedNs: bigint, flags: number) => {
    const { node } = host.descriptors.require(fd, RIGHT.fdFilestatSetTimes)
    checkTimeFlags(flags)
    setTimes(host, node, { accessedNs, modifiedNs, flags })
  },

  fd_allocate: (host, fd: number, offset: bigint, length: bigint) => {
    const file = fileOf(host, fd, RIGHT.fdAllocate)
    const count = fileOffset(length)
    if (count === 0) fail('inval')
    const end = fileOffset(offset) + count
    if (end <= file.content.size) return
    file.content.resize(end, host.budget)
    host.tree.modified(file)
  },

  // All a hint could change is speed, and there is nothing to gain in memory.
  fd_advise: (host, fd: number, offset: bigint, length: bigint, advice: number) => {
    const { node } = host.descriptors.require(fd, RIGHT.fdAdvise)
    if (node.filetype === FILETYPE.unknown) fail('spipe')
    if (node.filetype === FILETYPE.directory) fail('badf')
    if (advice < 0 || advice > ADVICE_MAX) fail('inval')
    fileOffset(offset)
    fileOffset(length)
  },

  // What is written is where it will stay, so there is nothing to wait for.
  fd_datasync: (host, fd: number) => {
    host.descriptors.require(fd, RIGHT.fdDatasync)
  },

  fd_sync: (host, fd: number) => {
    host.descriptors.require(fd, RIGHT.fdSync)
  },

  fd_readdir: (host, fd: number, buffer: number, length: number, cookie: bigint, result: number) => {
    const { node } = host.descriptors.get(fd)
    if (node.filetype !== FILETYPE.directory) fail('notdir')
    host.descriptors.require(fd, RIGHT.fdReaddir)
    host.memory.check(result, 4)
    const target = host.memory.bytes(buffer, length)
    host.memory.setU32(result, list(host, node, { target, cookie: BigInt.asUintN(64, cookie) }))
  },
} satisfies Record<string, Call>

/** @throws EBADF for what is not a preopen, which is where programs stop looking for more of them. */
function preopenName(host: Host, fd: number): Uint8Array {
  return host.descriptors.get(fd).preopen ?? fail('badf')
}

/** A file that may be resized. @throws EISDIR, EINVAL for a pipe, ENOTCAPABLE, EROFS. */
function fileOf(host: Host, fd: number, right: number): FileNode {
  const { node } = host.descriptors.get(fd)
  if (node.filetype === FILETYPE.directory) fail('isdir')
  if (node.filetype === FILETYPE.unknown) fail('inval')
  host.descriptors.require(fd, right)
  if (node.volume.readOnly) fail('rofs')
  return node
}

interface Listed {
  readonly name: string
  readonly inode: bigint
  readonly filetype: number
  /** The cookie that goes on after it. */
  readonly next: number
}

/** What a directory lists after a cookie: itself, its parent, then its entries. */
function* listing(directory: DirectoryNode, cookie: bigint): Generator<Listed> {
  const { inode, filetype, entries } = directory
  // A directory that was removed has not even itself.
  if (directory.links === 0 || cookie > Number.MAX_SAFE_INTEGER) return
  if (cookie < 1n) yield { name: '.', inode, filetype, next: 1 }
  // The parent of a preopened directory is out of the program's sight.
  if (cookie < 2n) yield { name: '..', inode: directory.parent?.inode ?? inode, filetype, next: 2 }
  for (const { name, node, cookie: next } of entries.after(Math.max(Number(cookie), 2))) {
    yield { name, inode: node.inode, filetype: node.filetype, next }
  }
}

/** Writes as many records as fit, the last cut off at the end of the buffer; returns the bytes written. */
function list(host: Host, directory: DirectoryNode, options: { target: Uint8Array; cookie: bigint }): number {
  const { target } = options
  const header = new Uint8Array(RECORD_BYTES.dirent)
  const view = new DataView(header.buffer)
  let used = 0
  for (const { name, inode, filetype, next } of listing(directory, options.cookie)) {
    if (used === target.length) break
    const nameBytes = ENCODER.encode(name)
    host.budget.spendFor(1, ENTRY_GAS)
    view.setBigUint64(0, BigInt(next), true)
    view.setBigUint64(8, inode, true)
    view.setUint32(16, nameBytes.length, true)
    view.setUint8(20, filetype)
    for (const part of [header, nameBytes]) {
      const fitting = part.subarray(0, target.length - used)
      target.set(fitting, used)
      used += fitting.length
    }
  }
  return used
}
