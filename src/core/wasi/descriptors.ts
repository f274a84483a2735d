import { fail } from './fault.ts'
import { DESCRIPTORS_MAX } from './limits.ts'
import type { OpenNode } from './nodes.ts'
import type { Tree } from './tree.ts'

/** One open descriptor. */
export interface Descriptor {
  readonly node: OpenNode
  /** What may be done with it, and at most with what is opened through it: sets of `RIGHT`. */
  rights: number
  inheriting: number
  /** `FDFLAG` set. */
  flags: number
  /** Where the next read or write starts, bytes. */
  offset: number
  /** UTF-8 name under which the program was given it; `null` for what it opened itself. */
  readonly preopen: Uint8Array | null
}

/** The program's descriptors by number; a new one gets the lowest free number. */
export class DescriptorTable {
  readonly #tree: Tree
  readonly #slots: (Descriptor | undefined)[] = []
  /** No free number lies below. */
  #freeFrom = 0

  constructor(tree: Tree) {
    this.#tree = tree
  }

  find(fd: number): Descriptor | undefined {
    return this.#slots[fd >>> 0]
  }

  /** @throws EBADF. */
  get(fd: number): Descriptor {
    return this.#slots[fd >>> 0] ?? fail('badf')
  }

  /** @throws EBADF; ENOTCAPABLE when a right is lacking. */
  require(fd: number, rights: number): Descriptor {
    const descriptor = this.get(fd)
    if ((descriptor.rights & rights) !== rights) fail('notcapable')
    return descriptor
  }

  /** @throws EMFILE. */
  checkFree(): void {
    this.#findFree()
  }

  /** @throws EMFILE. */
  open(descriptor: Descriptor): number {
    const fd = this.#findFree()
    this.#slots[fd] = descriptor
    this.#freeFrom = fd + 1
    this.#tree.opened(descriptor.node)
    return fd
  }

  close(fd: number): void {
    const descriptor = this.get(fd)
    const slot = fd >>> 0
    this.#slots[slot] = undefined
    this.#freeFrom = Math.min(this.#freeFrom, slot)
    this.#tree.closed(descriptor.node)
  }

  /** Gives `from` the number of `to`, which must be open and is closed; `from` is free then. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from)
    const replaced = this.get(to)
    if (descriptor === replaced) return
    this.#slots[to >>> 0] = descriptor
    this.#slots[from >>> 0] = undefined
    this.#freeFrom = Math.min(this.#freeFrom, from >>> 0)
    this.#tree.closed(replaced.node)
  }

  #findFree(): number {
    let fd = this.#freeFrom
    while (this.#slots[fd] !== undefined) fd++
    this.#freeFrom = fd
    if (fd >= DESCRIPTORS_MAX) fail('mfile')
    return fd
  }
}
