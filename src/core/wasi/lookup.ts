import { FILETYPE } from './abi.ts'
import type { Budget } from './budget.ts'
import { fail } from './fault.ts'
import { COMPONENT_GAS } from './gas.ts'
import { NAME_BYTES_MAX, SYMLINKS_FOLLOWED_MAX } from './limits.ts'
import type { DirectoryNode, TreeNode } from './nodes.ts'

/** Where a path leads: a name in a directory, whether or not something bears it. */
export interface Place {
  readonly directory: DirectoryNode
  readonly name: string
  readonly node: TreeNode | undefined
  /** The path ended in a slash: only a directory will do. */
  readonly trailingSlash: boolean
}

/** A path that ends in `.` or `..`: a directory under no name that could be made, moved or removed. */
export interface Itself {
  readonly directory: DirectoryNode
  readonly name: '.' | '..'
  readonly node: DirectoryNode
  readonly trailingSlash: boolean
}

/**
 * What becomes of a symbolic link at the end of a path: `follow` it; `stay` on it, except before a trailing slash; or take
 * the `name` alone, for what is about to be made, moved or removed.
 */
export type PathEnd = 'follow' | 'stay' | 'name'

/**
 * Follows a path from a directory, as POSIX.1-2017 section 4.13 has it, confined to that directory: an absolute path, an
 * absolute link and a `..` above the start answer EPERM. The way back up is the way that was come, so that no rename can
 * open a way out.
 *
 * @throws ENOENT, ENOTDIR, ELOOP, EPERM, ENAMETOOLONG, EINVAL for a NUL.
 */
export function lookup(start: DirectoryNode, path: string, options: { end: PathEnd; budget: Budget }): Place | Itself {
  const { end, budget } = options
  const way: DirectoryNode[] = [start]
  let here = start
  let trailingSlash = false
  let linksFollowed = 0
  // Components still to go, the next one last.
  const ahead: string[] = []
  const push = (text: string) => {
    if (text.length === 0) fail('noent')
    if (text.includes('\0')) fail('inval')
    if (text.startsWith('/')) fail('perm')
    const components = text.split('/').filter((component) => component !== '')
    budget.spendFor(components.length, COMPONENT_GAS)
    if (ahead.length === 0) trailingSlash ||= text.endsWith('/')
    ahead.push(...components.reverse())
  }

  push(path)
  for (;;) {
    const name = ahead.pop() as string
    const last = ahead.length === 0
    if (name === '.' || name === '..') {
      if (name === '..') {
        way.pop()
        here = way.at(-1) ?? fail('perm')
      }
      if (last) return { directory: here, name, node: here, trailingSlash }
      continue
    }
    if (nameBytes(name) > NAME_BYTES_MAX) fail('nametoolong')
    const node = here.entries.get(name)
    if (node?.filetype === FILETYPE.symbolicLink && (!last || end === 'follow' || (end === 'stay' && trailingSlash))) {
      if (++linksFollowed > SYMLINKS_FOLLOWED_MAX) fail('loop')
      push(node.target)
      continue
    }
    if (last) {
      if (trailingSlash && end !== 'name' && node !== undefined && node.filetype !== FILETYPE.directory) fail('notdir')
      return { directory: here, name, node, trailingSlash }
    }
    if (node === undefined) fail('noent')
    if (node.filetype !== FILETYPE.directory) fail('notdir')
    here = node
    way.push(here)
  }
}

/** Whether a place is a directory under no name of its own. */
export function isItself(place: Place | Itself): place is Itself {
  return place.name === '.' || place.name === '..'
}

/** What is there. @throws ENOENT. */
export function existing(place: Place | Itself): TreeNode {
  return place.node ?? fail('noent')
}

/** Length of a name in UTF-8. */
function nameBytes(name: string): number {
  // At most three bytes for each UTF-16 unit, so most names need no count.
  if (name.length * 3 <= NAME_BYTES_MAX) return name.length
  let bytes = 0
  for (const character of name) {
    const point = character.codePointAt(0) as number
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4
  }
  return bytes
}
