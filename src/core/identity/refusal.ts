import { StarlingError } from '../codec/errors.ts'

/** Why a statement was refused, in a form that can be counted: a fixed list, so that no peer chooses a metric's labels. */
export type RefusalReason = 'signature' | 'stale' | 'replayed' | 'network' | 'kind' | 'limit' | 'malformed'

const REASON_OF_NAME: Readonly<Record<string, RefusalReason>> = {
  BadSignatureError: 'signature',
  StaleStatementError: 'stale',
  ReplayedStatementError: 'replayed',
  ForeignStatementError: 'network',
  WrongKindError: 'kind',
  LimitExceededError: 'limit',
}

/**
 * The reason behind an error of decoding, verifying or admitting a statement.
 *
 * @returns `null` When the error says nothing about the statement: a full disk, a programmer's mistake.
 */
export function refusalReason(error: unknown): RefusalReason | null {
  if (!(error instanceof StarlingError)) return null
  const known = REASON_OF_NAME[error.name]
  if (known !== undefined) return known
  if (error.name !== 'InvalidMessageError') return null
  // Protocols that keep statements compare the network themselves and name the field.
  return String(error.details.field ?? '').endsWith('.network') ? 'network' : 'malformed'
}
