import { StarlingError } from '../codec/errors.ts'

/** An attestation does not hold: of itself, without dealing, or too old. */
export class AttestationRefusedError extends StarlingError {
  override readonly name = 'AttestationRefusedError'
}

/** Two receipts do not contradict each other, or are not what they are said to be. */
export class EvidenceRefusedError extends StarlingError {
  override readonly name = 'EvidenceRefusedError'
}
