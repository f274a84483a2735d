import type { SecurityEventType } from '../core/trust/security-event.ts'

const TYPES: Readonly<Record<string, SecurityEventType>> = {
  BadInvitationError: 'invite-refused',
  NotAMemberError: 'invite-refused',
  WrongBeaconError: 'beacon-refused',
  BadPolicyError: 'policy-refused',
  StaleTicketError: 'ticket-expired',
  InvalidCertificateError: 'certificate-refused',
  NoCertificateError: 'certificate-refused',
  IdentityRevokedError: 'certificate-refused',
  IdentityConflictedError: 'certificate-refused',
  InvalidLineageError: 'succession-refused',
  BadSignatureError: 'statement-forged',
  ForeignStatementError: 'statement-foreign',
  InvalidMessageError: 'message-malformed',
  LimitExceededError: 'statement-oversized',
  AdmissionBusyError: 'rate-exceeded',
}

/** How credentials that were refused are logged. */
export function securityTypeOf(errorName: string): SecurityEventType {
  return TYPES[errorName] ?? 'ticket-refused'
}
