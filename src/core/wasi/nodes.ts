import { FILETYPE } from './abi.ts'
import type { Content } from './content.ts'

/** A part of the tree that has one device number; links and renames stay within it. */
export interface Volume {
  readonly device: bigint
  readonly readOnly: boolean
}

/** What every node of the tree has. Times are nanoseconds since 1970. */
interface NodeBase {
  readonly volume: Volume
  readonly inode: bigint
  /** Names it has; a directory's own `.` and its children's `..` are added when it is asked for. */
  links: number
  /** Descriptors that hold it open; its content lives until the last of them is closed. */
  opens: number
  accessedNs: bigint
  modifiedNs: bigint
  changedNs: bigint
}

export interface FileNode extends NodeBase {
  readonly filetype: typeof FILETYPE.regularFile
  readonly content: Content
}

export interface SymlinkNode extends NodeBase {
  readonly filetype: typeof FILETYPE.symbolicLink
  readonly target: string
  /** Length of the target in UTF-8. */
  readonly targetBytes: number
}

export interface DirectoryNode extends NodeBase {
  readonly filetype: typeof FILETYPE.directory
  readonly entries: Entries
  /** `null` for the top of a preopened tree, and after removal. */
  parent: DirectoryNode | null
}

/** Standard input, output or error: the far end of a pipe. */
export interface PipeNode extends NodeBase {
  readonly filetype: typeof FILETYPE.unknown
  readonly pipe: Pipe
}

export interface Pipe {
  /** Takes at most `count` bytes; fewer at the end of the input. */
  read(count: number): Uint8Array
  write(bytes: Uint8Array): void
  /** Bytes that can be read at once. */
  readonly available: number
}

/** What a name can stand for. */
export type TreeNode = FileNode | SymlinkNode | DirectoryNode
/** What a descriptor can hold. */
export type OpenNode = FileNode | DirectoryNode | PipeNode

export interface Entry {
  readonly name: string
  readonly node: TreeNode
  /** Position in the listing; grows with every entry made in this directory and never comes again. */
  readonly cookie: number
}

/** `0` starts a listing; `.` and `..` have the first two cookies, entries those after. */
export const FIRST_ENTRY_COOKIE = 3

/**
 * The names of one directory, in the order they were made. A listing goes on from a cookie whatever was added or removed
 * since: nothing that stayed is skipped or seen twice.
 */
export class Entries {
  readonly #byName = new Map<string, Entry>()
  /** Sorted by cookie; removed entries stay as holes until they are more than half, so that removing is cheap. */
  #listing: { readonly cookie: number; entry: Entry | undefined }[] = []
  #cookieNext = FIRST_ENTRY_COOKIE
  #directoryCount = 0
  #fill: ((entries: Entries) => void) | undefined

  /** @param fill - Adds what is there from the start; called once, when somebody first looks. */
  constructor(fill?: (entries: Entries) => void) {
    this.#fill = fill
  }

  get size(): number {
    this.#ready()
    return this.#byName.size
  }

  /** Directories among the entries: each adds a link to its parent. */
  get directoryCount(): number {
    this.#ready()
    return this.#directoryCount
  }

  get(name: string): TreeNode | undefined {
    this.#ready()
    return this.#byName.get(name)?.node
  }

  /** Adds or replaces a name. */
  set(name: string, node: TreeNode): void {
    this.delete(name)
    const entry: Entry = { name, node, cookie: this.#cookieNext++ }
    this.#byName.set(name, entry)
    this.#listing.push({ cookie: entry.cookie, entry })
    if (node.filetype === FILETYPE.directory) this.#directoryCount++
  }

  delete(name: string): void {
    this.#ready()
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    this.#byName.delete(name)
    if (entry.node.filetype === FILETYPE.directory) this.#directoryCount--
    const slot = this.#listing[this.#indexOf(entry.cookie)]
    if (slot !== undefined) slot.entry = undefined
    if (this.#byName.size * 2 < this.#listing.length) {
      this.#listing = this.#listing.filter(({ entry }) => entry !== undefined)
    }
  }

  /** Entries with a cookie above `cookie`, in order. */
  *after(cookie: number): Generator<Entry> {
    this.#ready()
    for (let i = this.#indexOf(cookie + 1); i < this.#listing.length; i++) {
      const entry = this.#listing[i]?.entry
      if (entry !== undefined) yield entry
    }
  }

  #ready(): void {
    const fill = this.#fill
    if (fill === undefined) return
    this.#fill = undefined
    fill(this)
  }

  /** Index of the first slot with at least this cookie. */
  #indexOf(cookie: number): number {
    let low = 0
    let high = this.#listing.length
    while (low < high) {
      const middle = (low + high) >>> 1
      // In range: `middle` lies below the array's length.
      if ((this.#listing[middle] as { cookie: number }).cookie < cookie) low = middle + 1
      else high = middle
    }
    return low
  }
}
