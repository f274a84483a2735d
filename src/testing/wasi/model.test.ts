/**
 * Goal: whatever a program does to files, in whatever order, the host answers as a file system so plain that it is plainly
 * right. Method: random sequences of operations on both, every answer compared, and the whole trees at the end. A failure
 * prints the seed and the shortest sequence found.
 */
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RIGHTS_FILE } from '../../core/wasi/abi.ts'
import { Guest } from './guest.ts'
import { Model, type ModelFile } from './model.ts'

const TMP = 6
const BYTES_MAX = 600
const ENTRIES_MAX = 9
const RIGHTS = BigInt(RIGHTS_FILE)
const CREAT = 1
const KINDS = { directory: 3, file: 4, link: 7 } as const

type Operation =
  | { op: 'mkdir' | 'rmdir' | 'unlink' | 'stat' | 'list' | 'hold'; path: string }
  | { op: 'symlink' | 'link' | 'rename'; path: string; to: string }
  | { op: 'write'; path: string; offset: number; count: number; value: number; append: boolean }
  | { op: 'resize'; path: string; size: number }
  | { op: 'read'; path: string; offset: number; count: number }
  | { op: 'writeHeld'; index: number; count: number; value: number }
  | { op: 'release'; index: number }

/** Few names, so that operations meet; links have names of their own and are never on the way to anything. */
const name = fc.constantFrom('a', 'b', 'c')
const directory = fc.array(name, { maxLength: 2 }).map((names) => names.map((n) => `${n}/`).join(''))
const path = fc.tuple(directory, name).map(([above, last]) => above + last)
const linkPath = fc.tuple(directory, fc.constantFrom('s', 't')).map(([above, last]) => above + last)
const anyPath = fc.oneof({ arbitrary: path, weight: 5 }, { arbitrary: linkPath, weight: 1 })
const value = fc.integer({ min: 1, max: 255 })
const count = fc.oneof(fc.nat(40), fc.nat(400))

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constantFrom('mkdir', 'mkdir', 'rmdir', 'unlink', 'stat', 'list', 'hold'), path: anyPath }),
  fc.record({ op: fc.constant('symlink'), path: fc.constantFrom('x', 'a/b', 'self'), to: linkPath }),
  fc.record({ op: fc.constantFrom('link', 'rename', 'rename'), path, to: path }),
  fc.record({ op: fc.constantFrom('link', 'rename'), path: linkPath, to: linkPath }),
  fc.record({ op: fc.constant('write'), path: anyPath, offset: fc.nat(300), count, value, append: fc.boolean() }),
  fc.record({ op: fc.constant('resize'), path: anyPath, size: fc.nat(700) }),
  fc.record({ op: fc.constant('read'), path: anyPath, offset: fc.nat(300), count }),
  fc.record({ op: fc.constant('writeHeld'), index: fc.nat(3), count, value }),
  fc.record({ op: fc.constant('release'), index: fc.nat(3) }),
) as fc.Arbitrary<Operation>

/** `expect` is slow for the tens of thousands of comparisons here; it is asked only to word a difference. */
function same(found: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(found, wanted)) expect(found).toEqual(wanted)
}

/** The host and the model side by side. */
class Pair {
  readonly guest = new Guest({ filesBytesMax: BYTES_MAX, filesMax: ENTRIES_MAX })
  readonly model = new Model(BYTES_MAX, ENTRIES_MAX)
  readonly #held: { fd: number; file: ModelFile }[] = []

  apply(operation: Operation): void {
    const [found, wanted] = this.#both(operation)
    same(found, wanted)
  }

  #both(operation: Operation): [unknown, unknown] {
    const { guest, model } = this
    switch (operation.op) {
      case 'mkdir':
        return [guest.path('path_create_directory', TMP, operation.path), model.mkdir(operation.path)]
      case 'rmdir':
        return [guest.path('path_remove_directory', TMP, operation.path), model.rmdir(operation.path)]
      case 'unlink':
        return [guest.path('path_unlink_file', TMP, operation.path), model.unlink(operation.path)]
      case 'symlink':
        return [guest.symlink(operation.path, TMP, operation.to), model.symlink(operation.path, operation.to)]
      case 'link':
        return [guest.two('path_link', TMP, operation.path, operation.to), model.link(operation.path, operation.to)]
      case 'rename':
        return [guest.two('path_rename', TMP, operation.path, operation.to), model.rename(operation.path, operation.to)]
      case 'stat':
        return [this.#stat(operation.path), this.#modelStat(operation.path)]
      case 'list':
        return this.#list(operation.path)
      case 'hold':
        return this.#hold(operation.path)
      case 'release':
        return this.#release(operation.index)
      case 'writeHeld':
        return this.#writeHeld(operation)
      default:
        return this.#withFile(operation)
    }
  }

  #stat(path: string): unknown {
    const stat = this.guest.stat(TMP, path)
    return typeof stat === 'number' ? 'none' : { filetype: stat.filetype, size: stat.size, links: stat.links }
  }

  #modelStat(path: string): unknown {
    const { model } = this
    const node = model.paths.get(path)
    if (node === undefined) return 'none'
    const filetype = KINDS[node.kind]
    if (node.kind === 'directory') {
      const below = model.list(path).map((name) => model.paths.get(path === '' ? name : `${path}/${name}`))
      return { filetype, size: 0, links: 2 + below.filter((child) => child?.kind === 'directory').length }
    }
    const size = node.kind === 'file' ? node.bytes.length : node.target.length
    return { filetype, size, links: model.links(node) }
  }

  #list(path: string): [unknown, unknown] {
    const fd = this.guest.open(TMP, path === '' ? '.' : path, { oflags: 2, rights: 1n << 14n, follow: false })
    const node = this.model.paths.get(path)
    if (fd < 0) return [node?.kind === 'directory', false]
    const names = this.guest.list(fd) as string[]
    this.guest.call('fd_close', fd)
    return [names.slice(2).sort(), this.model.list(path)]
  }

  #hold(path: string): [unknown, unknown] {
    const fd = this.guest.open(TMP, path, { oflags: CREAT, rights: RIGHTS, follow: false })
    const file = this.model.open(path)
    if (fd < 0 || typeof file === 'number') return [fd, file]
    this.#held.push({ fd, file })
    this.model.held.add(file)
    return [0, 0]
  }

  #release(index: number): [unknown, unknown] {
    const [held] = this.#held.splice(index, 1)
    if (held === undefined) return [0, 0]
    if (!this.#held.some(({ file }) => file === held.file)) this.model.held.delete(held.file)
    return [this.guest.call('fd_close', held.fd), 0]
  }

  #writeHeld({ index, count, value }: { index: number; count: number; value: number }): [unknown, unknown] {
    const held = this.#held[index]
    if (held === undefined) return [0, 0]
    const bytes = new Uint8Array(count).fill(value)
    return [this.guest.write(held.fd, bytes, 5), this.model.write(held.file, 5, bytes)]
  }

  #withFile(operation: Extract<Operation, { op: 'write' | 'resize' | 'read' }>): [unknown, unknown] {
    const { guest, model } = this
    const append = operation.op === 'write' && operation.append
    const fd = guest.open(TMP, operation.path, {
      oflags: CREAT,
      rights: RIGHTS,
      follow: false,
      fdflags: append ? 1 : 0,
    })
    const file = model.open(operation.path)
    if (fd < 0 || typeof file === 'number') return [fd, file]
    // Held while the descriptor is open, though no operation here could unlink it.
    let results: [unknown, unknown]
    if (operation.op === 'write') {
      const bytes = new Uint8Array(operation.count).fill(operation.value)
      const offset = append ? file.bytes.length : operation.offset
      if (!append) guest.seek(fd, operation.offset, 0)
      results = [guest.write(fd, bytes), model.write(file, offset, bytes)]
    } else if (operation.op === 'resize') {
      const errno = guest.call('fd_filestat_set_size', fd, BigInt(operation.size))
      results = [0 - errno, model.resize(file, operation.size)]
    } else {
      const { offset, count } = operation
      results = [guest.read(fd, count, offset), file.bytes.slice(offset, offset + count)]
    }
    guest.call('fd_close', fd)
    return results
  }

  /** Compares everything there is. */
  compare(): void {
    for (const [path, node] of this.model.paths) {
      same(this.#stat(path === '' ? '.' : path), this.#modelStat(path))
      if (node.kind === 'directory') this.apply({ op: 'list', path })
      if (node.kind === 'file') this.apply({ op: 'read', path, offset: 0, count: 700 })
      if (node.kind === 'link') same(this.guest.readlink(TMP, path), node.target)
    }
    const inode = (path: string) => (this.guest.stat(TMP, path) as { inode: bigint }).inode
    const inodes = new Map<unknown, bigint>()
    for (const [path, node] of this.model.paths) {
      if (path === '') continue
      same(inode(path), inodes.get(node) ?? inode(path))
      inodes.set(node, inode(path))
    }
    expect(new Set(inodes.values()).size).toBe(inodes.size)
  }
}

test('any sequence of file operations answers as the model does', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120, size: 'max' }), (operations) => {
      const pair = new Pair()
      for (const each of operations) pair.apply(each)
      pair.compare()
    }),
    { numRuns: 300 },
  )
})
