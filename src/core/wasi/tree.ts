import type { UnitFile } from '../tasks/unit.ts'
import { CLOCK, FILETYPE } from './abi.ts'
import type { Budget } from './budget.ts'
import type { VirtualClock } from './clock.ts'
import { Content } from './content.ts'
import { fail } from './fault.ts'
import { LINKS_MAX } from './limits.ts'
import {
  type DirectoryNode,
  Entries,
  type FileNode,
  type OpenNode,
  type Pipe,
  type PipeNode,
  type SymlinkNode,
  type TreeNode,
  type Volume,
} from './nodes.ts'

const ENCODER = new TextEncoder()
const NOTHING = new Uint8Array(0)

/** Makes, names and forgets nodes, keeping link counts, times and the budget right. Checks of the rules are the callers'. */
export class Tree {
  readonly budget: Budget
  readonly #clock: VirtualClock
  /** Time of everything that was there before the program started. */
  readonly #startNs: bigint
  #inodeNext = 1n

  constructor(budget: Budget, clock: VirtualClock) {
    this.budget = budget
    this.#clock = clock
    this.#startNs = clock.peek(CLOCK.realtime)
  }

  newFile(volume: Volume): FileNode {
    return this.#file(volume, NOTHING, this.#now())
  }

  newSymlink(volume: Volume, target: string): SymlinkNode {
    const targetBytes = ENCODER.encode(target).length
    return { filetype: FILETYPE.symbolicLink, target, targetBytes, ...this.#base(volume, this.#now()) }
  }

  newDirectory(parent: DirectoryNode): DirectoryNode {
    return this.#directory(parent.volume, parent, { timeNs: this.#now() })
  }

  /** The top of a volume, there from the start. */
  top(volume: Volume, parent: DirectoryNode | null, fill?: (entries: Entries) => void): DirectoryNode {
    const directory = this.#directory(volume, parent, { timeNs: this.#startNs, fill })
    directory.links = 1
    return directory
  }

  pipe(volume: Volume, pipe: Pipe): PipeNode {
    // A pipe was never made or changed: its times are none.
    return { filetype: FILETYPE.unknown, pipe, ...this.#base(volume, 0n) }
  }

  /** Puts what was there before the program into a directory. Not counted in the budget. */
  load(directory: DirectoryNode, files: readonly UnitFile[]): void {
    for (const { path, content } of files) {
      const names = path.split('/')
      const name = names.pop() as string
      let parent = directory
      for (const part of names) parent = this.loadDirectory(parent, part)
      const file = this.#file(directory.volume, content, this.#startNs)
      file.links = 1
      parent.entries.set(name, file)
    }
  }

  /** The directory of that name, made if it was not there before the program. */
  loadDirectory(parent: DirectoryNode, name: string): DirectoryNode {
    const known = parent.entries.get(name)
    if (known !== undefined && known.filetype === FILETYPE.directory) return known
    const made = this.#directory(parent.volume, parent, { timeNs: this.#startNs })
    made.links = 1
    parent.entries.set(name, made)
    return made
  }

  /** Gives a node a name in a directory that has none such. @throws ENOSPC, EMLINK; nothing changed then. */
  attach(directory: DirectoryNode, name: string, node: TreeNode): void {
    if (node.links >= LINKS_MAX) fail('mlink')
    this.budget.takeEntry()
    directory.entries.set(name, node)
    node.links++
    this.#touched(directory, node)
  }

  /** Takes a name away; a file without name and descriptor is gone with its bytes. */
  detach(directory: DirectoryNode, name: string, node: TreeNode): void {
    directory.entries.delete(name)
    this.budget.giveEntry()
    node.links--
    if (node.filetype === FILETYPE.directory) node.parent = null
    this.#touched(directory, node)
    this.#forget(node)
  }

  /** Renames without a moment in which the node has no name, and so without counting it anew. */
  move(
    from: { directory: DirectoryNode; name: string },
    to: { directory: DirectoryNode; name: string },
    node: TreeNode,
  ): void {
    from.directory.entries.delete(from.name)
    to.directory.entries.set(to.name, node)
    if (node.filetype === FILETYPE.directory) node.parent = to.directory
    this.#touched(from.directory, node)
    this.#touched(to.directory, node)
  }

  opened(node: OpenNode): void {
    node.opens++
  }

  closed(node: OpenNode): void {
    node.opens--
    if (node.filetype !== FILETYPE.unknown) this.#forget(node)
  }

  /** Content changed now. */
  modified(node: FileNode): void {
    node.modifiedNs = node.changedNs = this.#clock.stamp()
  }

  #forget(node: TreeNode): void {
    if (node.filetype === FILETYPE.regularFile && node.links === 0 && node.opens === 0)
      node.content.release(this.budget)
  }

  #touched(directory: DirectoryNode, node: TreeNode): void {
    const now = this.#clock.stamp()
    directory.modifiedNs = directory.changedNs = now
    node.changedNs = now
  }

  #now(): bigint {
    return this.#clock.peek(CLOCK.realtime)
  }

  #file(volume: Volume, bytes: Uint8Array, timeNs: bigint): FileNode {
    return { filetype: FILETYPE.regularFile, content: new Content(bytes), ...this.#base(volume, timeNs) }
  }

  #directory(
    volume: Volume,
    parent: DirectoryNode | null,
    options: { timeNs: bigint; fill?: ((entries: Entries) => void) | undefined },
  ): DirectoryNode {
    const entries = new Entries(options.fill)
    return { filetype: FILETYPE.directory, entries, parent, ...this.#base(volume, options.timeNs) }
  }

  #base(volume: Volume, timeNs: bigint) {
    const inode = this.#inodeNext++
    return { volume, inode, links: 0, opens: 0, accessedNs: timeNs, modifiedNs: timeNs, changedNs: timeNs }
  }
}
