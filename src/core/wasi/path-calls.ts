import {
  FDFLAGS_ALL,
  FILETYPE,
  LOOKUPFLAG,
  LOOKUPFLAGS_ALL,
  OFLAG,
  OFLAGS_ALL,
  RIGHT,
  RIGHTS_ALL,
  RIGHTS_DIRECTORY,
  RIGHTS_FILE,
} from './abi.ts'
import * as changes from './changes.ts'
import { fail } from './fault.ts'
import type { Call, Host } from './host.ts'
import { PATH_BYTES_MAX } from './limits.ts'
import { existing, lookup, type PathEnd } from './lookup.ts'
import { openNode } from './opening.ts'
import { checkTimeFlags, setTimes, writeFilestat } from './stat.ts'

const ENCODER = new TextEncoder()

/** Calls that name a file by a path below a directory descriptor. */
export const PATH_CALLS = {
  path_create_directory: (host, fd: number, path: number, length: number) => {
    changes.makeDirectory(host.tree, start(host, { fd, path, length, right: RIGHT.pathCreateDirectory }))
  },

  path_remove_directory: (host, fd: number, path: number, length: number) => {
    changes.removeDirectory(host.tree, start(host, { fd, path, length, right: RIGHT.pathRemoveDirectory }))
  },

  path_unlink_file: (host, fd: number, path: number, length: number) => {
    changes.unlink(host.tree, start(host, { fd, path, length, right: RIGHT.pathUnlinkFile }))
  },

  path_rename: (host, fd: number, path: number, length: number, fdTo: number, pathTo: number, lengthTo: number) => {
    const from = start(host, { fd, path, length, right: RIGHT.pathRenameSource })
    const to = start(host, { fd: fdTo, path: pathTo, length: lengthTo, right: RIGHT.pathRenameTarget })
    changes.rename(host.tree, from, to)
  },

  path_link: (
    host,
    fd: number,
    lookupflags: number,
    path: number,
    length: number,
    fdTo: number,
    pathTo: number,
    lengthTo: number,
  ) => {
    const end = pathEnd(lookupflags)
    const from = start(host, { fd, path, length, right: RIGHT.pathLinkSource })
    const to = start(host, { fd: fdTo, path: pathTo, length: lengthTo, right: RIGHT.pathLinkTarget })
    changes.link(host.tree, { ...from, end }, to)
  },

  path_symlink: (host, target: number, targetLength: number, fd: number, path: number, length: number) => {
    const at = start(host, { fd, path, length, right: RIGHT.pathSymlink })
    changes.symlink(host.tree, pathText(host, target, targetLength), at)
  },

  path_readlink: (
    host,
    fd: number,
    path: number,
    length: number,
    buffer: number,
    bufferLength: number,
    result: number,
  ) => {
    const at = start(host, { fd, path, length, right: RIGHT.pathReadlink })
    const target = host.memory.bytes(buffer, bufferLength)
    host.memory.check(result, 4)
    const node = existing(lookup(at.directory, at.path, { end: 'stay', budget: host.budget }))
    if (node.filetype !== FILETYPE.symbolicLink) fail('inval')
    const bytes = ENCODER.encode(node.target).subarray(0, target.length)
    target.set(bytes)
    host.memory.setU32(result, bytes.length)
  },

  path_filestat_get: (host, fd: number, lookupflags: number, path: number, length: number, result: number) => {
    const end = pathEnd(lookupflags)
    const at = start(host, { fd, path, length, right: RIGHT.pathFilestatGet })
    writeFilestat(host, result, existing(lookup(at.directory, at.path, { end, budget: host.budget })))
  },

  path_filestat_set_times: (
    host,
    fd: number,
    lookupflags: number,
    path: number,
    length: number,
    accessedNs: bigint,
    modifiedNs: bigint,
    flags: number,
  ) => {
    const end = pathEnd(lookupflags)
    const at = start(host, { fd, path, length, right: RIGHT.pathFilestatSetTimes })
    checkTimeFlags(flags)
    const node = existing(lookup(at.directory, at.path, { end, budget: host.budget }))
    setTimes(host, node, { accessedNs, modifiedNs, flags })
  },

  path_open: (
    host,
    fd: number,
    lookupflags: number,
    path: number,
    length: number,
    oflags: number,
    base: bigint,
    inheriting: bigint,
    fdflags: number,
    result: number,
  ) => {
    const follow = pathEnd(lookupflags) === 'follow'
    if ((oflags & ~OFLAGS_ALL) !== 0 || (fdflags & ~FDFLAGS_ALL) !== 0) fail('inval')
    let right = RIGHT.pathOpen as number
    if ((oflags & OFLAG.creat) !== 0) right |= RIGHT.pathCreateFile
    if ((oflags & OFLAG.trunc) !== 0) right |= RIGHT.pathFilestatSetSize
    const at = start(host, { fd, path, length, right })
    host.memory.check(result, 4)
    host.descriptors.checkFree()
    // Rights nobody has defined cannot be used either; programs that ask for all 64 bits get those there are.
    const rights = Number(BigInt.asUintN(32, base)) & RIGHTS_ALL
    const inherited = Number(BigInt.asUintN(32, inheriting)) & RIGHTS_ALL
    if (((rights | inherited) & ~host.descriptors.get(fd).inheriting) !== 0) fail('notcapable')
    const node = openNode(host.tree, at, { oflags, follow, write: (rights & RIGHT.fdWrite) !== 0 })
    const isDirectory = node.filetype === FILETYPE.directory
    const opened = host.descriptors.open({
      node,
      rights: rights & (isDirectory ? RIGHTS_DIRECTORY : RIGHTS_FILE),
      inheriting: isDirectory ? inherited : 0,
      flags: fdflags,
      offset: 0,
      preopen: null,
    })
    host.memory.setU32(result, opened)
  },
} satisfies Record<string, Call>

/** Where a call's path starts. @throws EBADF, ENOTDIR, ENOTCAPABLE, and for the path as {@link pathText}. */
function start(host: Host, at: { fd: number; path: number; length: number; right: number }): changes.Start {
  const { node } = host.descriptors.get(at.fd)
  if (node.filetype !== FILETYPE.directory) fail('notdir')
  host.descriptors.require(at.fd, at.right)
  return { directory: node, path: pathText(host, at.path, at.length) }
}

/** @throws EFAULT, ENAMETOOLONG, EILSEQ. */
function pathText(host: Host, pointer: number, length: number): string {
  if (length >>> 0 > PATH_BYTES_MAX) fail('nametoolong')
  return host.memory.text(pointer, length)
}

/** @throws EINVAL for an unknown flag. */
function pathEnd(lookupflags: number): PathEnd {
  if ((lookupflags & ~LOOKUPFLAGS_ALL) !== 0) fail('inval')
  return (lookupflags & LOOKUPFLAG.symlinkFollow) !== 0 ? 'follow' : 'stay'
}
