import { createWasi, type Wasi, type WasiInit } from '../../core/wasi/wasi.ts'

const PAGE_BYTES = 65_536

/** Where arguments are put and results are read, clear of each other. */
const AT = { path: 0, pathTo: 8192, vector: 16_384, record: 16_640, bytes: 20_480 }

type Calls = Readonly<Record<string, (...params: (number | bigint)[]) => number>>

/** A descriptor's or path's times, type and size, as far as tests look at them. */
export interface Stat {
  readonly inode: bigint
  readonly filetype: number
  readonly links: number
  readonly size: number
}

/**
 * A program's side of the interface, written in TypeScript: lays out arguments in a memory of its own, calls, and reads the
 * results. Numbers below zero are errnos negated; everything else is a result.
 */
export class Guest {
  readonly wasi: Wasi
  readonly memory: { buffer: ArrayBuffer }
  readonly #calls: Calls

  constructor(init: Partial<WasiInit> = {}, pages = 4) {
    this.wasi = createWasi({
      args: [],
      env: [],
      stdin: new Uint8Array(0),
      files: [],
      seed: new Uint8Array(32),
      stdoutBytesMax: 1 << 16,
      stderrBytesMax: 1 << 16,
      filesBytesMax: 1 << 20,
      filesMax: 1000,
      ...init,
    })
    this.memory = { buffer: new ArrayBuffer(pages * PAGE_BYTES) }
    this.wasi.bind(this.memory)
    // Tests pass parameters of the right number and type.
    this.#calls = this.wasi.imports.wasi_snapshot_preview1 as unknown as Calls
  }

  /** Calls as a module would; returns the errno. */
  call(name: string, ...params: (number | bigint)[]): number {
    const call = this.#calls[name]
    if (call === undefined) throw new Error(`No call ${name}`)
    return call(...params)
  }

  /** A call that returns nothing more than its errno, with a path first where `path` is given. */
  path(name: string, fd: number, path: string, before: number[] = [], after: (number | bigint)[] = []): number {
    return 0 - this.call(name, fd, ...before, ...this.#put(AT.path, path), ...after)
  }

  open(
    fd: number,
    path: string,
    options: { oflags?: number; rights?: bigint; follow?: boolean; fdflags?: number } = {},
  ) {
    const { oflags = 0, rights = 0n, follow = true, fdflags = 0 } = options
    const [at, length] = this.#put(AT.path, path)
    const errno = this.call('path_open', fd, follow ? 1 : 0, at, length, oflags, rights, rights, fdflags, AT.record)
    return errno === 0 ? this.#view().getUint32(AT.record, true) : 0 - errno
  }

  two(name: 'path_rename' | 'path_link', fd: number, from: string, to: string): number {
    const [at, length] = this.#put(AT.path, from)
    const [atTo, lengthTo] = this.#put(AT.pathTo, to)
    return 0 - this.call(name, fd, ...(name === 'path_link' ? [0] : []), at, length, fd, atTo, lengthTo)
  }

  symlink(target: string, fd: number, path: string): number {
    const [at, length] = this.#put(AT.path, target)
    const [atTo, lengthTo] = this.#put(AT.pathTo, path)
    return 0 - this.call('path_symlink', at, length, fd, atTo, lengthTo)
  }

  readlink(fd: number, path: string): string | number {
    const [at, length] = this.#put(AT.path, path)
    const errno = this.call('path_readlink', fd, at, length, AT.bytes, 4096, AT.record)
    if (errno !== 0) return 0 - errno
    return new TextDecoder().decode(this.#bytes(AT.bytes, this.#view().getUint32(AT.record, true)))
  }

  stat(fd: number, path: string, follow = false): Stat | number {
    const [at, length] = this.#put(AT.path, path)
    return this.#stat(this.call('path_filestat_get', fd, follow ? 1 : 0, at, length, AT.record))
  }

  fstat(fd: number): Stat | number {
    return this.#stat(this.call('fd_filestat_get', fd, AT.record))
  }

  write(fd: number, bytes: Uint8Array, offset?: number): number {
    this.#bytes(AT.bytes, bytes.length).set(bytes)
    this.#vector(bytes.length)
    const at = offset === undefined ? [] : [BigInt(offset)]
    const errno = this.call(offset === undefined ? 'fd_write' : 'fd_pwrite', fd, AT.vector, 1, ...at, AT.record)
    return errno === 0 ? this.#view().getUint32(AT.record, true) : 0 - errno
  }

  read(fd: number, count: number, offset?: number): Uint8Array | number {
    this.#vector(count)
    const at = offset === undefined ? [] : [BigInt(offset)]
    const errno = this.call(offset === undefined ? 'fd_read' : 'fd_pread', fd, AT.vector, 1, ...at, AT.record)
    return errno === 0 ? this.#bytes(AT.bytes, this.#view().getUint32(AT.record, true)).slice() : 0 - errno
  }

  seek(fd: number, delta: number, whence: number): number {
    const errno = this.call('fd_seek', fd, BigInt(delta), whence, AT.record)
    return errno === 0 ? Number(this.#view().getBigUint64(AT.record, true)) : 0 - errno
  }

  /** All names of a directory, `.` and `..` among them, read through a buffer of `size` bytes. */
  list(fd: number, size = 300): string[] | number {
    const names: string[] = []
    let cookie = 0n
    for (;;) {
      const errno = this.call('fd_readdir', fd, AT.bytes, size, cookie, AT.record)
      if (errno !== 0) return 0 - errno
      const used = this.#view().getUint32(AT.record, true)
      for (let at = 0; at + 24 <= used; ) {
        const length = this.#view().getUint32(AT.bytes + at + 16, true)
        if (at + 24 + length > used) break
        names.push(new TextDecoder().decode(this.#bytes(AT.bytes + at + 24, length)))
        cookie = this.#view().getBigUint64(AT.bytes + at, true)
        at += 24 + length
      }
      if (used < size) return names
    }
  }

  /** Grows the memory as `memory.grow` does: the old buffer is detached. */
  grow(pages: number): void {
    this.memory.buffer = this.memory.buffer.transfer(this.memory.buffer.byteLength + pages * PAGE_BYTES)
  }

  #put(at: number, text: string): [number, number] {
    const bytes = new TextEncoder().encode(text)
    this.#bytes(at, bytes.length).set(bytes)
    return [at, bytes.length]
  }

  #vector(length: number): void {
    this.#view().setUint32(AT.vector, AT.bytes, true)
    this.#view().setUint32(AT.vector + 4, length, true)
  }

  #stat(errno: number): Stat | number {
    if (errno !== 0) return 0 - errno
    const view = this.#view()
    return {
      inode: view.getBigUint64(AT.record + 8, true),
      filetype: view.getUint8(AT.record + 16),
      links: Number(view.getBigUint64(AT.record + 24, true)),
      size: Number(view.getBigUint64(AT.record + 32, true)),
    }
  }

  #view(): DataView {
    return new DataView(this.memory.buffer)
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length)
  }
}
