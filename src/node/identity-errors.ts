import { StarlingError } from '../core/codec/errors.ts'

/** A backup or passkey file is whole, but of another identity than the one it is tried on. */
export class OtherIdentityError extends StarlingError {
  override readonly name = 'OtherIdentityError'
}

/** A backup holds a key that was replaced since; a newer one is on this device or known to be in force. */
export class SupersededBackupError extends StarlingError {
  override readonly name = 'SupersededBackupError'
}

/** The copy of the key cannot be given up yet: too few ways to get the key back, or none was tried. */
export class UnlockersMissingError extends StarlingError {
  override readonly name = 'UnlockersMissingError'
}

/** A protected identity changes its key only for somebody who can open it. */
export class UnlockNeededError extends StarlingError {
  override readonly name = 'UnlockNeededError'
}

/** The identity cannot be rotated as it stands; `details.state` says how it stands. */
export class RotationRefusedError extends StarlingError {
  override readonly name = 'RotationRefusedError'
}

/** A rotation was given up: another device was first, or a key was gone. The key in force is as before. */
export class RotationFailedError extends StarlingError {
  override readonly name = 'RotationFailedError'
}

/** No such device, or one that this cannot be done to. */
export class DeviceRefusedError extends StarlingError {
  override readonly name = 'DeviceRefusedError'
}
