import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { RelayKeyError } from './errors.ts'

/** Only the owner may read and write. */
const PRIVATE_MODE = 0o600

/** Writes a file only the owner can read, whole or not at all. */
export function writePrivateFile(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  writeFileSync(temporary, content, { mode: PRIVATE_MODE, flag: 'wx' })
  renameSync(temporary, path)
}

/**
 * Reads such a file; `null` when there is none. A file that others may read is closed to them first: it may have been copied by hand.
 *
 * @throws {@link RelayKeyError} When it is there and cannot be read.
 */
export function readPrivateFile(path: string): Buffer | null {
  if (!existsSync(path)) return null
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, PRIVATE_MODE)
    return readFileSync(path)
  } catch (error) {
    throw new RelayKeyError(
      `Cannot read ${path}: ${(error as Error).message}`,
      { field: 'path', value: path },
      { cause: error },
    )
  }
}
