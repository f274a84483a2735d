import type { PeerId, RootId } from '../codec/ids.ts'
import type { Misconduct } from './misconduct.ts'

export type SecuritySeverity = 'info' | 'warning' | 'serious'

/**
 * Everything that may be logged as a security event, each with how serious it is unless its reporter knows better. Metrics use
 * these as labels, so the list is what bounds them. Rule [T25].
 */
export const SECURITY_EVENT_TYPES = {
  // Statements and messages.
  'statement-forged': 'serious',
  'statement-replayed': 'warning',
  'statement-stale': 'warning',
  'statement-foreign': 'warning',
  'statement-malformed': 'warning',
  'statement-oversized': 'warning',
  'message-malformed': 'warning',
  'rate-exceeded': 'warning',
  'clock-off': 'warning',
  // Admission.
  'peer-admitted': 'info',
  'ticket-refused': 'warning',
  'ticket-expired': 'info',
  'invite-refused': 'warning',
  'policy-refused': 'serious',
  'policy-changed': 'info',
  'beacon-refused': 'warning',
  'difficulty-changed': 'info',
  'guest-limited': 'info',
  'subnet-limited': 'warning',
  'connection-refused': 'warning',
  // Work.
  'result-conflict': 'serious',
  'result-equivocation': 'serious',
  'result-refused': 'warning',
  'work-failed': 'info',
  'quota-exceeded': 'warning',
  // Trust.
  'peer-blacklisted': 'serious',
  'peer-unblacklisted': 'info',
  'blacklist-expired': 'info',
  'peer-refused': 'warning',
  'tier-changed': 'info',
  'attestation-refused': 'warning',
  'evidence-received': 'warning',
  'evidence-refused': 'warning',
  'peer-slandered': 'serious',
  'peer-misconduct': 'serious',
  // Identity.
  'identity-created': 'info',
  'identity-restored': 'info',
  'identity-protected': 'info',
  'identity-conflicted': 'serious',
  'identity-lost': 'serious',
  'identity-revoked': 'serious',
  'key-rotated': 'info',
  'rotation-failed': 'serious',
  'succession-refused': 'serious',
  'device-certified': 'info',
  'device-revoked': 'warning',
  'certificate-refused': 'warning',
  'certificate-expired': 'info',
  'backup-created': 'info',
  'backup-refused': 'warning',
  'unlocker-added': 'info',
  'unlocker-refused': 'warning',
} as const satisfies Readonly<Record<string, SecuritySeverity>>

export type SecurityEventType = keyof typeof SECURITY_EVENT_TYPES

/** What a reporter says; the log adds the number and the time. */
export interface SecurityReport {
  readonly type: SecurityEventType
  /** @default the type's own of {@link SECURITY_EVENT_TYPES} */
  readonly severity?: SecuritySeverity
  readonly peerId?: PeerId | null
  readonly rootId?: RootId | null
  /** One sentence: what happened and what was done about it. Never bytes from the network. */
  readonly message: string
  /** The bytes it is about, when there are any; most are signed and prove it to others too. */
  readonly evidence?: readonly Uint8Array[]
  /**
   * Set when what was refused is surely `peerId`'s own doing, proved by its link or its signature, and no honest peer in good order
   * does it: it counts towards a bar. Rule [T26].
   */
  readonly misconduct?: Misconduct | null
}

/** Where security events go: every part that refuses or punishes takes one of these. */
export type OnSecurityEvent = (report: SecurityReport) => void

export function isSecurityEventType(text: string): text is SecurityEventType {
  return Object.hasOwn(SECURITY_EVENT_TYPES, text)
}

/** How each kind of misconduct is logged. */
export const MISCONDUCT_EVENTS: Readonly<Record<Misconduct, SecurityEventType>> = {
  forged: 'statement-forged',
  replayed: 'statement-replayed',
  foreign: 'statement-foreign',
  malformed: 'message-malformed',
  oversized: 'statement-oversized',
  rate: 'rate-exceeded',
}
