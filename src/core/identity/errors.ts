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
