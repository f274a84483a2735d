/**
 * The numbers of `wasi_snapshot_preview1`, as the interface's own definition numbers them.
 *
 * Source: WebAssembly/WASI, `phases/snapshot/witx/{typenames,wasi_snapshot_preview1}.witx`.
 */

/** What every call but `proc_exit` returns. Only those this host can answer with. */
export const ERRNO = {
  success: 0,
  badf: 8,
  exist: 20,
  fault: 21,
  fbig: 22,
  ilseq: 25,
  inval: 28,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  nametoolong: 37,
  noent: 44,
  nospc: 51,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  perm: 63,
  rofs: 69,
  spipe: 70,
  xdev: 75,
  notcapable: 76,
} as const

export type ErrnoName = keyof typeof ERRNO
export type Errno = (typeof ERRNO)[ErrnoName]

/** Capabilities of a descriptor: bit `n` of a 64-bit set. All thirty lie below bit 30, so a number holds a set. */
export const RIGHT = {
  fdDatasync: 1 << 0,
  fdRead: 1 << 1,
  fdSeek: 1 << 2,
  fdFdstatSetFlags: 1 << 3,
  fdSync: 1 << 4,
  fdTell: 1 << 5,
  fdWrite: 1 << 6,
  fdAdvise: 1 << 7,
  fdAllocate: 1 << 8,
  pathCreateDirectory: 1 << 9,
  pathCreateFile: 1 << 10,
  pathLinkSource: 1 << 11,
  pathLinkTarget: 1 << 12,
  pathOpen: 1 << 13,
  fdReaddir: 1 << 14,
  pathReadlink: 1 << 15,
  pathRenameSource: 1 << 16,
  pathRenameTarget: 1 << 17,
  pathFilestatGet: 1 << 18,
  pathFilestatSetSize: 1 << 19,
  pathFilestatSetTimes: 1 << 20,
  fdFilestatGet: 1 << 21,
  fdFilestatSetSize: 1 << 22,
  fdFilestatSetTimes: 1 << 23,
  pathSymlink: 1 << 24,
  pathRemoveDirectory: 1 << 25,
  pathUnlinkFile: 1 << 26,
  pollFdReadwrite: 1 << 27,
  sockShutdown: 1 << 28,
  sockAccept: 1 << 29,
} as const

/** Every right there is. */
export const RIGHTS_ALL = 2 ** 30 - 1

const { fdRead, fdWrite, fdFdstatSetFlags, fdFilestatGet, fdSync, pollFdReadwrite } = RIGHT

/** What can be done with a regular file. */
export const RIGHTS_FILE =
  RIGHT.fdDatasync |
  fdRead |
  RIGHT.fdSeek |
  fdFdstatSetFlags |
  fdSync |
  RIGHT.fdTell |
  fdWrite |
  RIGHT.fdAdvise |
  RIGHT.fdAllocate |
  fdFilestatGet |
  RIGHT.fdFilestatSetSize |
  RIGHT.fdFilestatSetTimes |
  pollFdReadwrite

/** What can be done with a directory. */
export const RIGHTS_DIRECTORY =
  fdFdstatSetFlags |
  fdSync |
  RIGHT.fdAdvise |
  RIGHT.pathCreateDirectory |
  RIGHT.pathCreateFile |
  RIGHT.pathLinkSource |
  RIGHT.pathLinkTarget |
  RIGHT.pathOpen |
  RIGHT.fdReaddir |
  RIGHT.pathReadlink |
  RIGHT.pathRenameSource |
  RIGHT.pathRenameTarget |
  RIGHT.pathFilestatGet |
  RIGHT.pathFilestatSetSize |
  RIGHT.pathFilestatSetTimes |
  fdFilestatGet |
  RIGHT.fdFilestatSetTimes |
  RIGHT.pathSymlink |
  RIGHT.pathRemoveDirectory |
  RIGHT.pathUnlinkFile |
  pollFdReadwrite

/** What can be done with standard input, which is a pipe. */
export const RIGHTS_INPUT = fdRead | fdFdstatSetFlags | fdFilestatGet | pollFdReadwrite

/** What can be done with standard output and standard error, which are pipes. */
export const RIGHTS_OUTPUT = fdWrite | fdFdstatSetFlags | fdFilestatGet | fdSync | RIGHT.fdDatasync | pollFdReadwrite

export const FILETYPE = { unknown: 0, characterDevice: 2, directory: 3, regularFile: 4, symbolicLink: 7 } as const

export const FDFLAG = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const
export const FDFLAGS_ALL = 31

export const OFLAG = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const
export const OFLAGS_ALL = 15

export const LOOKUPFLAG = { symlinkFollow: 1 } as const
export const LOOKUPFLAGS_ALL = 1

export const FSTFLAG = { atim: 1, atimNow: 2, mtim: 4, mtimNow: 8 } as const
export const FSTFLAGS_ALL = 15

export const WHENCE = { set: 0, cur: 1, end: 2 } as const

export const CLOCK = { realtime: 0, monotonic: 1, processCputime: 2, threadCputime: 3 } as const

export const EVENTTYPE = { clock: 0, fdRead: 1, fdWrite: 2 } as const
export const SUBCLOCKFLAG = { abstime: 1 } as const
export const EVENTRWFLAG = { hangup: 1 } as const

/** Access-pattern hints, `normal` to `noreuse`. */
export const ADVICE_MAX = 5

export const SIGNAL = {
  none: 0,
  chld: 16,
  cont: 17,
  stop: 18,
  tstp: 19,
  ttin: 20,
  ttou: 21,
  urg: 22,
  winch: 27,
} as const
export const SIGNAL_MAX = 30

export const RIFLAGS_ALL = 3
export const SDFLAGS_ALL = 3

/** Sizes of the records that cross the boundary, bytes. */
export const RECORD_BYTES = {
  iovec: 8,
  prestat: 8,
  fdstat: 24,
  filestat: 64,
  dirent: 24,
  subscription: 48,
  event: 32,
} as const
