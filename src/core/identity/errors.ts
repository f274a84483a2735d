import { StarlingError } from '../codec/errors.ts'

/** A signature does not belong to the statement and author it came with. */
export class BadSignatureError extends StarlingError {
  override readonly name = 'BadSignatureError'
}

/** A statement's timestamp is too far from this peer's clock. */
export class StaleStatementError extends StarlingError {
  override readonly name = 'StaleStatementError'
}

/** A statement was seen before, by its nonce or by its sequence number. */
export class ReplayedStatementError extends StarlingError {
  override readonly name = 'ReplayedStatementError'
}

/** A good statement, but made for another network. */
export class ForeignStatementError extends StarlingError {
  override readonly name = 'ForeignStatementError'
}

/** A statement of one kind where another was asked for. */
export class WrongKindError extends StarlingError {
  override readonly name = 'WrongKindError'
}

/** A statement of an identity breaks a rule: who may sign it, how it links to the others, or how long it may hold. */
export class InvalidLineageError extends StarlingError {
  override readonly name = 'InvalidLineageError'
}

/** A device certificate does not make its device one of the identity: wrong device, refused key, expired, revoked. */
export class InvalidCertificateError extends StarlingError {
  override readonly name = 'InvalidCertificateError'
}

/** The owner of the identity revoked it. Nothing it signs counts any more. */
export class IdentityRevokedError extends StarlingError {
  override readonly name = 'IdentityRevokedError'
}

/** Two keys were both named to follow the same one. Until they meet again in one key, neither counts. */
export class IdentityConflictedError extends StarlingError {
  override readonly name = 'IdentityConflictedError'
}

/** A backup file is cut, changed, or no backup at all. Nothing was taken from it. */
export class DamagedBackupError extends StarlingError {
  override readonly name = 'DamagedBackupError'
}
