import { mkdir, rename } from 'node:fs/promises'
import { type as systemName } from 'node:os'
import { join } from 'node:path'
import { peerIdOf } from '../core/identity/peer-id.ts'
import { loadDeviceKeyFile } from '../storage/device-key-file.node.ts'
import { openKeyRing } from '../storage/key-ring.node.ts'
import { FileRootKeyBox } from '../storage/root-key-file.node.ts'
import { RootKeyStore } from '../storage/root-key-store.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { monotonicClock } from './clock.ts'
import { IdentityBook } from './identity-book.ts'
import { SecurityLog } from './security-log.ts'
import { PlatformVerifier } from './verifier.ts'

/** What the owner sees first as this device's name. */
export const deviceName = `Node on ${systemName()}`

export interface IdentityFolder {
  readonly dataDir: string
  /** Opens the keys where a passphrase keeps them, and keeps new ones where the system has no key ring. */
  readonly passphrase?: string
  /** @default 'system' */
  readonly keyRing?: 'system' | 'none'
}

/**
 * Opens where a Node peer keeps the keys of its identity. A damaged file is put aside, so that the peer goes on and a backup can be
 * restored.
 *
 * @throws `WrongPassphraseError` When the passphrase does not open them; `RootKeyBusyError`.
 */
export async function openRootKeys(
  init: IdentityFolder,
  onDamaged: (aside: string) => void = () => undefined,
): Promise<FileRootKeyBox> {
  const file = join(init.dataDir, 'root.key')
  const keyRing = init.keyRing === 'none' ? null : await openKeyRing(file)
  const options = { file, passphrase: init.passphrase ?? null, keyRing }
  try {
    return await FileRootKeyBox.open(options)
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    if (name !== 'InvalidMessageError' && name !== 'LimitExceededError') throw error
    const aside = `${file}.damaged-${Date.now()}`
    await rename(file, aside)
    onDamaged(aside)
    return await FileRootKeyBox.open(options)
  }
}

/**
 * Opens the identity of a Node peer without a network, for the command line. The caller closes it, then the store.
 *
 * @throws `RootKeyBusyError` While a peer runs on the same folder; `WrongPassphraseError`.
 */
export async function openIdentity(init: IdentityFolder): Promise<{
  readonly book: IdentityBook
  readonly box: FileRootKeyBox
  /** Where a damaged key file was put. */
  readonly aside: string | null
  close(): Promise<void>
}> {
  await mkdir(init.dataDir, { recursive: true, mode: 0o700 })
  let aside: string | null = null
  const box = await openRootKeys(init, (path) => {
    aside = path
  })
  const store = new SqliteStore(join(init.dataDir, 'starling.sqlite'))
  const now = monotonicClock()
  const security = await SecurityLog.open({ store, now })
  const key = await loadDeviceKeyFile(join(init.dataDir, 'device.key'))
  const book = await IdentityBook.open({
    store,
    keys: new RootKeyStore(box),
    verifier: new PlatformVerifier(),
    networkId: null,
    device: peerIdOf(key.publicKey),
    deviceName,
    keptBy: box.kind === 'file' ? null : box.kind,
    onSecurityEvent: (report) => security.add(report),
    now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  })
  const close = async (): Promise<void> => {
    await book.close()
    await security.flush()
    await store.close()
  }
  return { book, box, aside, close }
}
