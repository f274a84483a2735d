import { FILETYPE } from './abi.ts'
import { fail } from './fault.ts'
import { ENTRY_GAS } from './gas.ts'
import { existing, type Itself, isItself, lookup, type PathEnd, type Place } from './lookup.ts'
import type { DirectoryNode, TreeNode } from './nodes.ts'
import type { Tree } from './tree.ts'

/** A path and the directory it starts at. */
export interface Start {
  readonly directory: DirectoryNode
  readonly path: string
}

/** Makes an empty directory. @throws EEXIST, ENOENT, EROFS, ENOSPC. */
export function makeDirectory(tree: Tree, at: Start): void {
  const place = find(tree, at, 'name')
  if (place.node !== undefined) fail('exist')
  writable(place.directory)
  tree.attach(place.directory, place.name, tree.newDirectory(place.directory))
}

/** Removes an empty directory. @throws ENOTDIR, ENOTEMPTY, EINVAL for `.`, EROFS. */
export function removeDirectory(tree: Tree, at: Start): void {
  const place = find(tree, at, 'name')
  if (isItself(place)) fail(place.name === '.' ? 'inval' : 'notempty')
  const node = existing(place)
  if (node.filetype !== FILETYPE.directory) fail('notdir')
  writable(place.directory)
  if (node.entries.size > 0) fail('notempty')
  tree.detach(place.directory, place.name, node)
}

/** Removes a name that is not a directory's. @throws EISDIR, ENOTDIR for a trailing slash, EROFS. */
export function unlink(tree: Tree, at: Start): void {
  const place = find(tree, at, 'name')
  const node = existing(place)
  if (node.filetype === FILETYPE.directory) fail('isdir')
  if (place.trailingSlash) fail('notdir')
  writable(place.directory)
  tree.detach(place.directory, place.name, node)
}

/** Gives a file or symbolic link another name. @throws EEXIST, EPERM for a directory, EXDEV, EROFS, EMLINK. */
export function link(tree: Tree, from: Start & { end: PathEnd }, to: Start): void {
  const source = existing(find(tree, from, from.end))
  const place = find(tree, to, 'name')
  if (place.node !== undefined) fail('exist')
  if (place.trailingSlash) fail('noent')
  if (source.filetype === FILETYPE.directory) fail('perm')
  sameVolume(source, place.directory)
  writable(place.directory)
  tree.attach(place.directory, place.name, source)
}

/** Makes a symbolic link; what it leads to need not exist. @throws EEXIST, ENOENT, EPERM for an absolute target. */
export function symlink(tree: Tree, target: string, at: Start): void {
  if (target.length === 0) fail('noent')
  if (target.includes('\0')) fail('inval')
  // It could never be followed, as every path starts inside a directory; saying so now is kinder than later.
  if (target.startsWith('/')) fail('perm')
  const place = find(tree, at, 'name')
  if (place.node !== undefined) fail('exist')
  if (place.trailingSlash) fail('noent')
  writable(place.directory)
  tree.attach(place.directory, place.name, tree.newSymlink(place.directory.volume, target))
}

/**
 * Gives what is at `from` the name `to`, replacing what was there: a file by a file, an empty directory by a directory.
 *
 * @throws ENOENT, EINVAL into itself and for `.` and `..`, EISDIR, ENOTDIR, ENOTEMPTY, EXDEV, EROFS.
 */
export function rename(tree: Tree, from: Start, to: Start): void {
  const source = find(tree, from, 'name')
  const node = existing(source)
  const target = find(tree, to, 'name')
  if (isItself(source) || isItself(target)) fail('inval')
  sameVolume(node, target.directory)
  writable(source.directory)
  writable(target.directory)
  const isDirectory = node.filetype === FILETYPE.directory
  if (!isDirectory && (source.trailingSlash || target.trailingSlash)) fail('notdir')
  if (isDirectory && isWithin(target.directory, node)) fail('inval')
  const replaced = target.node
  // Two names of one file: POSIX has rename() do nothing and succeed.
  if (replaced === node) return
  if (replaced !== undefined) {
    if (replaced.filetype === FILETYPE.directory) {
      if (!isDirectory) fail('isdir')
      if (replaced.entries.size > 0) fail('notempty')
    } else if (isDirectory) {
      fail('notdir')
    }
    tree.detach(target.directory, target.name, replaced)
  }
  tree.move(source, target, node)
}

/** Looks up a path whose end is about to change; the change is paid here. */
export function find(tree: Tree, at: Start, end: PathEnd): Place | Itself {
  tree.budget.spendFor(1, ENTRY_GAS)
  return lookup(at.directory, at.path, { end, budget: tree.budget })
}

/** @throws EROFS; ENOENT in a directory that has been removed. */
export function writable(directory: DirectoryNode): void {
  if (directory.volume.readOnly) fail('rofs')
  if (directory.links === 0) fail('noent')
}

function sameVolume(node: TreeNode, directory: DirectoryNode): void {
  if (node.volume !== directory.volume) fail('xdev')
}

/** Whether a directory is another or lies below it. */
function isWithin(directory: DirectoryNode, ancestor: DirectoryNode): boolean {
  for (let at: DirectoryNode | null = directory; at !== null; at = at.parent) if (at === ancestor) return true
  return false
}
