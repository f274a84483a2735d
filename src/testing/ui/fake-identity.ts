import { peerIdOf } from '../../core/identity/peer-id.ts'
import { IdentityBook } from '../../node/identity-book.ts'
import type { IdentityApi, IdentityInfo, PasskeyUnlocker } from '../../node/identity-contract.ts'
import { PlatformVerifier } from '../../node/verifier.ts'
import { MemoryStore } from '../../storage/memory-store.ts'
import { MemoryRootKeyBox } from '../../storage/root-key-box.ts'
import { RootKeyStore } from '../../storage/root-key-store.ts'
import { FakeLearning } from './fake-learning.ts'

/** The identity of a node that is not running: the real book, kept in memory. */
export class FakeIdentity extends FakeLearning implements IdentityApi {
  readonly #book = openBook()

  async identity(): Promise<IdentityInfo> {
    return (await this.#book).identity()
  }
  async createBackup(passphrase: string): Promise<Uint8Array> {
    return (await this.#book).createBackup(passphrase)
  }
  async proveBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return (await this.#book).proveBackup(file, passphrase)
  }
  async addPasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return (await this.#book).addPasskey(passkey)
  }
  async provePasskey(passkey: PasskeyUnlocker): Promise<IdentityInfo> {
    return (await this.#book).provePasskey(passkey)
  }
  async passkeyFile(): Promise<Uint8Array> {
    return (await this.#book).passkeyFile()
  }
  async protectIdentity(): Promise<IdentityInfo> {
    return (await this.#book).protectIdentity()
  }
  async restoreFromBackup(file: Uint8Array, passphrase: string): Promise<IdentityInfo> {
    return (await this.#book).restoreFromBackup(file, passphrase)
  }
  async restoreFromPasskey(passkey: PasskeyUnlocker, file: Uint8Array | null): Promise<IdentityInfo> {
    return (await this.#book).restoreFromPasskey(passkey, file)
  }
  async rotateIdentity(options: Parameters<IdentityApi['rotateIdentity']>[0]): Promise<IdentityInfo> {
    return (await this.#book).rotateIdentity(options)
  }
  async revokeDevice(peerId: string): Promise<IdentityInfo> {
    return (await this.#book).revokeDevice(peerId)
  }
  async renameDevice(peerId: string, name: string): Promise<IdentityInfo> {
    return (await this.#book).renameDevice(peerId, name)
  }
  async revokeIdentity(): Promise<IdentityInfo> {
    return (await this.#book).revokeIdentity()
  }
  async exportIdentity(): Promise<Uint8Array> {
    return (await this.#book).exportIdentity()
  }
}

function openBook(): Promise<IdentityBook> {
  return IdentityBook.open({
    store: new MemoryStore(),
    keys: new RootKeyStore(new MemoryRootKeyBox()),
    verifier: new PlatformVerifier(),
    networkId: 'a-room',
    device: peerIdOf(new Uint8Array(32).fill(1)),
    deviceName: 'Chrome on Linux',
    onSecurityEvent: () => undefined,
    now: Date.now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  })
}
