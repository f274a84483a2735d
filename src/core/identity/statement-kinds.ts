/**
 * How a kind of statement takes being seen again:
 * `evidence` stays good for ever and may be shown by anyone, any number of times;
 * `newest` says how its author is now: it must be fresh, and an older one never replaces a newer; hearing it twice is normal;
 * `once` is acted upon: it must be fresh, its nonce is taken once and its sequence number rises.
 */
export type Recurrence = 'evidence' | 'newest' | 'once'

/** Every kind of signed statement there is, with what a repetition means. docs/PROTOCOL.md says why, and a test compares the two. */
export const STATEMENT_KINDS = {
  manifest: 'evidence',
  receipt: 'evidence',
  attestation: 'evidence',
  conflict: 'evidence',
  'trust-attestation': 'evidence',
  'device-certificate': 'evidence',
  succession: 'evidence',
  'identity-revocation': 'evidence',
  'device-revocation': 'evidence',
  'network-policy': 'evidence',
  'epoch-beacon': 'evidence',
  invitation: 'evidence',
  'learning-task': 'evidence',
  'update-announcement': 'evidence',
  'round-proposal': 'evidence',
  'update-vote': 'evidence',
  'secure-sum-keys': 'evidence',
  'secure-sum-roster': 'evidence',
  'secure-sum-shares': 'evidence',
  'secure-sum-masked': 'evidence',
  'secure-sum-unmask': 'evidence',
  'secure-sum-proof': 'evidence',
  'peer-announcement': 'newest',
  'learning-membership': 'newest',
  offer: 'once',
} as const satisfies Readonly<Record<string, Recurrence>>

export type KnownKind = keyof typeof STATEMENT_KINDS

export function isKnownKind(kind: string): kind is KnownKind {
  return Object.hasOwn(STATEMENT_KINDS, kind)
}
