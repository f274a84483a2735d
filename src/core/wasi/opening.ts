import { FILETYPE, OFLAG } from './abi.ts'
import { type Start, writable } from './changes.ts'
import { fail } from './fault.ts'
import { ENTRY_GAS } from './gas.ts'
import { lookup } from './lookup.ts'
import type { DirectoryNode, FileNode } from './nodes.ts'
import type { Tree } from './tree.ts'

/**
 * Finds, makes or empties what a path names, as POSIX `open()` does.
 *
 * @param options.oflags - `OFLAG` set.
 * @param options.follow - Whether a symbolic link at the end is followed; if not, it answers ELOOP.
 * @param options.write - Whether the bytes are to be changed through the descriptor.
 * @throws EEXIST, ENOENT, ENOTDIR, EISDIR, ELOOP, EROFS, EINVAL for a directory to be made, ENOSPC.
 */
export function openNode(
  tree: Tree,
  at: Start,
  options: { oflags: number; follow: boolean; write: boolean },
): FileNode | DirectoryNode {
  const { oflags, write } = options
  const wanted = (flag: number) => (oflags & flag) !== 0
  const create = wanted(OFLAG.creat)
  const exclusive = create && wanted(OFLAG.excl)
  const directoryOnly = wanted(OFLAG.directory)
  if (create && directoryOnly) fail('inval')
  // O_EXCL makes a link at the end count as something that exists, wherever it leads.
  const end = exclusive ? 'name' : options.follow ? 'follow' : 'stay'
  const place = lookup(at.directory, at.path, { end, budget: tree.budget })
  const { node } = place
  if (node === undefined) {
    if (!create) fail('noent')
    if (place.trailingSlash) fail('isdir')
    writable(place.directory)
    tree.budget.spendFor(1, ENTRY_GAS)
    const file = tree.newFile(place.directory.volume)
    tree.attach(place.directory, place.name, file)
    return file
  }
  if (exclusive) fail('exist')
  if (node.filetype === FILETYPE.directory) {
    if (create || write || wanted(OFLAG.trunc)) fail('isdir')
    return node
  }
  if (directoryOnly) fail(node.filetype === FILETYPE.symbolicLink ? 'loop' : 'notdir')
  if (node.filetype === FILETYPE.symbolicLink) fail('loop')
  if (node.volume.readOnly && (write || wanted(OFLAG.trunc))) fail('rofs')
  if (wanted(OFLAG.trunc)) {
    node.content.resize(0, tree.budget)
    tree.modified(node)
  }
  return node
}
