import { chmod, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as v from 'valibot'
import { decode, encode } from '../core/codec/cbor.ts'
import { constantTimeEqual } from '../core/codec/constant-time.ts'
import { bytes, integer, list, peerId, rootId, text } from '../core/codec/fields.ts'
import type { PeerId, RootId } from '../core/codec/ids.ts'
import type { PassphraseTerms, SealedKey } from '../core/identity/backup.ts'
import { IV_BYTES, LINEAGE_SUCCESSIONS_MAX, SALT_BYTES, SEALED_KEY_BYTES } from '../core/identity/limits.ts'
import type { KeyRing } from './key-ring.node.ts'
import { checkNewPassphrase, newPassphraseTerms, passphraseKey } from './passphrase.ts'
import { RootKeyBusyError, RootKeyLockedError, WrongPassphraseError } from './root-key-errors.ts'
import { type RootKeyBox, type RootKeyRecord, seal, unseal } from './root-key-store.ts'

const SECRET_BYTES = 32
const LIMITS = { bytesMax: 64 * 1_024, depthMax: 4, itemsMax: 1_024 }

/** What keeps the keys of the file from being read; `file` is nothing but its permissions. */
type Keeper =
  | { readonly kind: 'file'; readonly secret: Uint8Array }
  | { readonly kind: 'keyring' }
  | ({ readonly kind: 'passphrase' } & PassphraseTerms)

interface StoredKey extends SealedKey {
  readonly key: PeerId
  readonly root: RootId
  readonly label: string
  /** Whether unlockers may still be made of it. */
  readonly open: boolean
}

interface KeyFile {
  readonly version: 1
  readonly keeper: Keeper
  readonly keys: readonly StoredKey[]
}

const keeperSchema: v.GenericSchema<unknown, Keeper> = v.variant('kind', [
  v.strictObject({ kind: v.literal('file'), secret: bytes(SECRET_BYTES, SECRET_BYTES) }),
  v.strictObject({ kind: v.literal('keyring') }),
  v.strictObject({
    kind: v.literal('passphrase'),
    memoryKibibytes: integer(8, 2 ** 32 - 1),
    iterations: integer(1, 2 ** 32 - 1),
    parallelism: integer(1, 2 ** 24 - 1),
    salt: bytes(SALT_BYTES, SALT_BYTES),
  }),
])

const schema: v.GenericSchema<unknown, KeyFile> = v.strictObject({
  version: v.literal(1),
  keeper: keeperSchema,
  keys: list(
    v.strictObject({
      key: peerId,
      root: rootId,
      label: text(0, 200),
      iv: bytes(IV_BYTES, IV_BYTES),
      sealed: bytes(SEALED_KEY_BYTES, SEALED_KEY_BYTES),
      open: v.boolean(),
    }),
    0,
    LINEAGE_SUCCESSIONS_MAX + 2,
  ),
})

export interface RootKeyFileInit {
  readonly file: string
  /** Opens a file that a passphrase keeps, and keeps a new one where there is no key ring. */
  readonly passphrase: string | null
  /** `null` where the system has none. */
  readonly keyRing: KeyRing | null
}

/**
 * Root keys of a Node peer: sealed in a file that only its owner may read (0600). What seals them is in the system's key ring, else
 * made from a passphrase; where there is neither, beside them, and {@link kind} says so.
 */
export class FileRootKeyBox implements RootKeyBox {
  readonly #file: string
  readonly #keyRing: KeyRing | null
  #keeper: Keeper
  /** `null` while the file waits for its passphrase or key ring. */
  #sealer: CryptoKey | null
  #keys: readonly StoredKey[]
  readonly #opened = new Map<PeerId, CryptoKey>()

  private constructor(init: RootKeyFileInit, stored: KeyFile, sealer: CryptoKey | null) {
    this.#file = init.file
    this.#keyRing = init.keyRing
    this.#keeper = stored.keeper
    this.#keys = stored.keys
    this.#sealer = sealer
  }

  /**
   * @throws {@link WrongPassphraseError} When the passphrase does not open the file. Without any, its keys are there but locked.
   * @throws {@link RootKeyBusyError} While another process has it open.
   * @throws `InvalidMessageError` or `LimitExceededError` When the file is damaged; it is left as it is.
   */
  static async open(init: RootKeyFileInit): Promise<FileRootKeyBox> {
    await lock(init.file)
    try {
      return await FileRootKeyBox.#open(init)
    } catch (error) {
      await unlock(init.file)
      throw error
    }
  }

  static async #open(init: RootKeyFileInit): Promise<FileRootKeyBox> {
    const content = await readFile(init.file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
    if (content === undefined) return await FileRootKeyBox.#create(init)
    const stored = decode(new Uint8Array(content), { what: 'root key file', limits: LIMITS, schema })
    const box = new FileRootKeyBox(init, stored, await sealerOf(stored.keeper, init))
    await box.#unsealAll()
    return box
  }

  static async #create(init: RootKeyFileInit): Promise<FileRootKeyBox> {
    const [keeper, sealer] = await newKeeper(init)
    return new FileRootKeyBox(init, { version: 1, keeper, keys: [] }, sealer)
  }

  get kind(): Keeper['kind'] {
    return this.#keeper.kind
  }

  async all(): Promise<readonly RootKeyRecord[]> {
    const sealer = this.#sealer
    return this.#keys.map(({ key, root, label, iv, sealed, open: provisional }) => ({
      key,
      root,
      label,
      privateKey: this.#opened.get(key) ?? null,
      copy: sealer !== null && provisional ? { iv, sealed, sealer } : null,
    }))
  }

  async put({ key, root, label, privateKey, copy }: RootKeyRecord): Promise<void> {
    const before = this.#keys.find((each) => each.key === key)
    // Without a copy only the flag changes: what the file keeps, it keeps.
    const kept = copy ?? before
    if (kept === undefined || privateKey === null) throw locked(this.#file)
    const stored: StoredKey = { key, root, label, iv: kept.iv, sealed: kept.sealed, open: copy !== null }
    await this.#write({ keys: [...this.#keys.filter((each) => each.key !== key), stored] })
    this.#opened.set(key, privateKey)
  }

  async delete(key: PeerId): Promise<void> {
    await this.#write({ keys: this.#keys.filter((each) => each.key !== key) })
    this.#opened.delete(key)
  }

  async sealer(): Promise<CryptoKey> {
    if (this.#sealer === null) throw locked(this.#file)
    return this.#sealer
  }

  /**
   * Seals every key anew under a passphrase, or under the key ring for `null`.
   *
   * @throws `WeakPassphraseError`, `RootKeyLockedError`
   */
  async keepBy(passphrase: string | null): Promise<void> {
    const from = await this.sealer()
    // Asked for a passphrase, a key ring is not used although there is one.
    const [keeper, sealer] = await newKeeper({ passphrase, keyRing: passphrase === null ? this.#keyRing : null })
    const keys: StoredKey[] = []
    for (const stored of this.#keys) {
      const sealed = await seal(await unseal(stored, from, new Uint8Array(), true), sealer, new Uint8Array())
      keys.push({ ...stored, ...sealed })
    }
    await this.#write({ keeper, keys })
    this.#sealer = sealer
  }

  async close(): Promise<void> {
    await unlock(this.#file)
  }

  async #unsealAll(): Promise<void> {
    const sealer = this.#sealer
    if (sealer === null) return
    for (const stored of this.#keys) {
      const key = await unseal(stored, sealer, new Uint8Array(), false).catch((cause: unknown) => {
        throw new WrongPassphraseError(
          `The keys in ${this.#file} do not open`,
          { field: 'keeper', value: this.kind },
          { cause },
        )
      })
      this.#opened.set(stored.key, key)
    }
  }

  /** Written beside, made durable, and renamed, so that a crash leaves the old file or the new one. */
  async #write(change: Partial<KeyFile>): Promise<void> {
    const content: KeyFile = { version: 1, keeper: this.#keeper, keys: this.#keys, ...change }
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
    const temporary = `${this.#file}.${process.pid}.new`
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(encode(content))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await chmod(temporary, 0o600)
    await rename(temporary, this.#file)
    this.#keeper = content.keeper
    this.#keys = content.keys
  }
}

const lockOf = (file: string): string => `${file}.lock`

/** One process at a time. The lock of a process that is gone does not count. */
async function lock(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const path = lockOf(file)
  for (;;) {
    try {
      return await writeFile(path, String(process.pid), { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const holder = Number(await readFile(path, 'utf8').catch(() => '0'))
    if (isAlive(holder)) {
      throw new RootKeyBusyError(`The keys in ${file} are open in process ${holder}; stop it first`, {
        field: 'file',
        value: file,
      })
    }
    await rm(path, { force: true })
  }
}

async function unlock(file: string): Promise<void> {
  const path = lockOf(file)
  const holder = await readFile(path, 'utf8').catch(() => '')
  if (holder === String(process.pid)) await rm(path, { force: true })
}

/** This process's own lock is one it left: what it has open it closes first. */
function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function newKeeper({
  passphrase,
  keyRing,
}: Pick<RootKeyFileInit, 'passphrase' | 'keyRing'>): Promise<readonly [Keeper, CryptoKey]> {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  if (keyRing !== null && (await keeps(keyRing, secret))) return [{ kind: 'keyring' }, await secretKey(secret)]
  if (passphrase === null) return [{ kind: 'file', secret: secret.slice() }, await secretKey(secret)]
  checkNewPassphrase(passphrase)
  const terms = newPassphraseTerms()
  return [{ kind: 'passphrase', ...terms }, await passphraseKey(passphrase, terms)]
}

/** Stores a secret and reads it again: keys are sealed only under what was seen to come back. */
async function keeps(keyRing: KeyRing, secret: Uint8Array): Promise<boolean> {
  try {
    await keyRing.set(secret)
    const kept = await keyRing.get()
    return kept !== null && constantTimeEqual(kept, secret)
  } catch {
    return false
  }
}

async function sealerOf(keeper: Keeper, { passphrase, keyRing }: RootKeyFileInit): Promise<CryptoKey | null> {
  if (keeper.kind === 'file') return await secretKey(Uint8Array.from(keeper.secret))
  if (keeper.kind === 'passphrase') return passphrase === null ? null : await passphraseKey(passphrase, keeper)
  const secret = await keyRing?.get()
  return secret ? await secretKey(Uint8Array.from(secret)) : null
}

/** Imports a secret and overwrites it. */
async function secretKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
  } finally {
    secret.fill(0)
  }
}

function locked(file: string): RootKeyLockedError {
  return new RootKeyLockedError(`The keys in ${file} wait for their passphrase or key ring`, {
    field: 'file',
    value: file,
  })
}
