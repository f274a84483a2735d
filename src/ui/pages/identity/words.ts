import type { DeviceInfo, IdentityInfo, UnlockerKind } from '../../../node/identity-contract.ts'

/** How an identity stands, for its owner: what it is, what it means, and whether to look. */
export interface IdentityWords {
  readonly tone: 'info' | 'warning' | 'error'
  readonly title: string
  readonly text: string
}

const WORDS: Readonly<Record<string, IdentityWords>> = {
  'identity-no-unlocker': {
    tone: 'warning',
    title: 'This identity is only here',
    text: 'It was made for you and works at once. If this browser clears its data, it is gone. Make a backup file or add a passkey; best both.',
  },
  'identity-one-unlocker': {
    tone: 'warning',
    title: 'There is one way to get it back',
    text: 'Add a second one of the other kind, so that losing one is not losing everything.',
  },
  'identity-unproved': {
    tone: 'warning',
    title: 'No backup was tried yet',
    text: 'Try the backup file or the passkey once, while it is easy to make another.',
  },
  'identity-unprotected': {
    tone: 'info',
    title: 'Ready to be protected',
    text: 'The key can still be copied by whatever runs in this page. Protecting it deletes that copy; the key goes on working here, and your backups bring it back elsewhere.',
  },
  'identity-rotating': {
    tone: 'info',
    title: 'The key is being replaced',
    text: 'It was interrupted and goes on by itself when Starling starts, or when you replace the key again.',
  },
  'identity-clock-behind': {
    tone: 'error',
    title: 'This device’s clock is behind',
    text: 'The key was replaced at a time that has not come yet by this clock. Set the clock; nothing is lost.',
  },
  'identity-superseded': {
    tone: 'error',
    title: 'The key was replaced on another device',
    text: 'This one still holds the old key, which soon stops to count. Make a backup on the other device and restore it here.',
  },
  'identity-revoked': {
    tone: 'error',
    title: 'This identity was revoked',
    text: 'Nothing it signs counts any more. Clear this site’s data to begin with a new one.',
  },
  'identity-conflicted': {
    tone: 'error',
    title: 'Two keys claim this identity',
    text: 'Two devices replaced the key at the same time, or somebody else has the old one. If both keys are yours, make a backup on one device and restore it on the other: that settles it. If not, revoke the identity.',
  },
  'identity-expired': {
    tone: 'error',
    title: 'This device’s certificate has expired',
    text: 'It is renewed by itself as soon as the key can be used.',
  },
  'identity-key-lost': {
    tone: 'error',
    title: 'The key is not here any more',
    text: 'The browser cleared it. Restore it below with your backup file or passkey; until then this device is nobody’s.',
  },
  'identity-locked': {
    tone: 'warning',
    title: 'The key is locked',
    text: 'It waits for its passphrase or key ring. This device goes on as yours until its certificate ends.',
  },
}

const FINE: IdentityWords = {
  tone: 'info',
  title: 'Protected',
  text: 'There are at least two ways to get this identity back, and no copy of the key that could be read.',
}

export function identityWords({ reason }: Pick<IdentityInfo, 'reason'>): IdentityWords {
  if (reason === null) return FINE
  return WORDS[reason.code] ?? { tone: 'warning', title: reason.code.replaceAll('-', ' '), text: '' }
}

/** Whether somebody should be told of it on the first page. */
export function needsAttention({ reason }: Pick<IdentityInfo, 'reason'>): boolean {
  return reason !== null && reason.code !== 'identity-unprotected' && reason.code !== 'identity-rotating'
}

export const UNLOCKER_WORDS: Readonly<Record<UnlockerKind, string>> = {
  passkey: 'Passkey',
  file: 'Backup file',
  keyring: 'Key ring',
  passphrase: 'Passphrase',
}

export const DEVICE_WORDS: Readonly<Record<DeviceInfo['state'], string>> = {
  valid: 'Belongs to you',
  expired: 'Expired',
  revoked: 'Taken out',
  superseded: 'Old key',
}
