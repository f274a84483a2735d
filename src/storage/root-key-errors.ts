import { StarlingError } from '../core/codec/errors.ts'

/** A root key is not on this device: the browser cleared it, or it was never here. */
export class RootKeyMissingError extends StarlingError {
  override readonly name = 'RootKeyMissingError'
}

/** The root key is here, but waits for its passphrase or key ring. */
export class RootKeyLockedError extends StarlingError {
  override readonly name = 'RootKeyLockedError'
}

/** The identity is protected: there is no copy of the key left from which another unlocker could be made. */
export class RootKeyProtectedError extends StarlingError {
  override readonly name = 'RootKeyProtectedError'
}

/** The passphrase does not open the key. */
export class WrongPassphraseError extends StarlingError {
  override readonly name = 'WrongPassphraseError'
}

/** The passkey does not open the key. */
export class WrongPasskeyError extends StarlingError {
  override readonly name = 'WrongPasskeyError'
}

/** The passphrase is too short to protect anything, or longer than any is. */
export class WeakPassphraseError extends StarlingError {
  override readonly name = 'WeakPassphraseError'
}

/** Another process has the keys open; two that change them would lose one's changes. */
export class RootKeyBusyError extends StarlingError {
  override readonly name = 'RootKeyBusyError'
}
