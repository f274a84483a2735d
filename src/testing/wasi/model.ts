/** What a path of the model stands for. */
export type ModelNode =
  | { readonly kind: 'file'; bytes: Uint8Array; held: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory' }

export type ModelFile = Extract<ModelNode, { kind: 'file' }>

/** Errnos below zero, as the calls of `Guest` give them. */
export const E = {
  exist: -20,
  inval: -28,
  isdir: -31,
  loop: -32,
  noent: -44,
  nospc: -51,
  notdir: -54,
  notempty: -55,
  perm: -63,
} as const

/**
 * A file system as plain as it can be said: a map from whole paths to nodes. Nothing of the real one is used, and it knows
 * no `.`, `..` or followed links.
 */
export class Model {
  readonly paths = new Map<string, ModelNode>([['', { kind: 'directory' }]])
  readonly #bytesMax: number
  readonly #entriesMax: number

  constructor(bytesMax: number, entriesMax: number) {
    this.#bytesMax = bytesMax
    this.#entriesMax = entriesMax
  }

  mkdir(path: string): number {
    return this.#lost(path) || (this.paths.has(path) ? E.exist : this.#add(path, { kind: 'directory' }))
  }

  symlink(target: string, path: string): number {
    return this.#lost(path) || (this.paths.has(path) ? E.exist : this.#add(path, { kind: 'link', target }))
  }

  rmdir(path: string): number {
    const node = this.#find(path)
    if (typeof node === 'number') return node
    if (node.kind !== 'directory') return E.notdir
    if (this.list(path).length > 0) return E.notempty
    this.paths.delete(path)
    return 0
  }

  unlink(path: string): number {
    const node = this.#find(path)
    if (typeof node === 'number') return node
    if (node.kind === 'directory') return E.isdir
    this.paths.delete(path)
    return 0
  }

  link(from: string, to: string): number {
    const node = this.#find(from)
    if (typeof node === 'number') return node
    const lost = this.#lost(to)
    if (lost) return lost
    if (this.paths.has(to)) return E.exist
    return node.kind === 'directory' ? E.perm : this.#add(to, node)
  }

  rename(from: string, to: string): number {
    const node = this.#find(from)
    if (typeof node === 'number') return node
    const lost = this.#lost(to)
    if (lost) return lost
    if (node.kind === 'directory' && to.startsWith(`${from}/`)) return E.inval
    const old = this.paths.get(to)
    if (old === node) return 0
    if (old?.kind === 'directory') {
      if (node.kind !== 'directory') return E.isdir
      if (this.list(to).length > 0) return E.notempty
    } else if (old !== undefined && node.kind === 'directory') {
      return E.notdir
    }
    const moved = [...this.paths].filter(([path]) => path === from || path.startsWith(`${from}/`))
    for (const [path] of moved) this.paths.delete(path)
    for (const [path, what] of moved) this.paths.set(to + path.slice(from.length), what)
    return 0
  }

  /** Opens for reading and writing without following, creating what is not there. */
  open(path: string): ModelFile | number {
    const lost = this.#lost(path)
    if (lost) return lost
    const node = this.paths.get(path)
    if (node === undefined) {
      const made: ModelFile = { kind: 'file', bytes: new Uint8Array(0), held: 0 }
      return this.#add(path, made) || made
    }
    if (node.kind === 'directory') return E.isdir
    return node.kind === 'link' ? E.loop : node
  }

  write(file: ModelFile, offset: number, bytes: Uint8Array): number {
    if (bytes.length === 0) return 0
    const end = Math.min(offset + bytes.length, Math.max(file.bytes.length + this.#bytesFree(), file.bytes.length))
    if (end <= offset) return E.nospc
    if (end > file.bytes.length) this.#resize(file, end)
    file.bytes.set(bytes.subarray(0, end - offset), offset)
    return end - offset
  }

  resize(file: ModelFile, size: number): number {
    if (size > file.bytes.length + this.#bytesFree()) return E.nospc
    this.#resize(file, size)
    return 0
  }

  /** Names in a directory, sorted. */
  list(path: string): string[] {
    const prefix = path === '' ? '' : `${path}/`
    return [...this.paths.keys()]
      .filter((other) => other !== '' && other.startsWith(prefix) && !other.slice(prefix.length).includes('/'))
      .map((other) => other.slice(prefix.length))
      .sort()
  }

  /** Names a node has. */
  links(node: ModelNode): number {
    return [...this.paths.values()].filter((other) => other === node).length
  }

  #resize(file: ModelFile, size: number): void {
    const bytes = new Uint8Array(size)
    bytes.set(file.bytes.subarray(0, size))
    file.bytes = bytes
  }

  /** Files that were unlinked but are held open. */
  readonly held = new Set<ModelFile>()

  #bytesFree(): number {
    const files = new Set<ModelNode>([...this.paths.values(), ...this.held])
    let used = 0
    for (const node of files) if (node.kind === 'file') used += node.bytes.length
    return this.#bytesMax - used
  }

  #add(path: string, node: ModelNode): number {
    // All but the root, which was there.
    if (this.paths.size - 1 >= this.#entriesMax) return E.nospc
    this.paths.set(path, node)
    return 0
  }

  #find(path: string): ModelNode | number {
    return this.#lost(path) || (this.paths.get(path) ?? E.noent)
  }

  /** What is wrong on the way to a path, 0 if nothing. */
  #lost(path: string): number {
    const names = path.split('/')
    for (let i = 1; i < names.length; i++) {
      const node = this.paths.get(names.slice(0, i).join('/'))
      if (node === undefined) return E.noent
      if (node.kind !== 'directory') return E.notdir
    }
    return 0
  }
}
