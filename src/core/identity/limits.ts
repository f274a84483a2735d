/** How far a statement's timestamp may be from the reader's clock, either way. Device clocks are rarely off by more. */
export const TIMESTAMP_WINDOW_MS = 2 * 60_000

/** Nonces remembered inside the window, over all authors: about 6 MB. */
export const REPLAY_NONCES_MAX = 65_536

/** Nonces remembered for one author, so that no author can use up the room of all: 17 statements a second. */
export const REPLAY_NONCES_PER_AUTHOR_MAX = 4_096

/** Authors whose last sequence number is remembered, least recently seen forgotten first. */
export const SEQUENCE_AUTHORS_MAX = 16_384

/** A statement's nonce, bytes: 128 random bits never meet by chance. */
export const NONCE_BYTES = 16

/** Ed25519, RFC 8032. */
export const SIGNATURE_BYTES = 64

/** Characters of a network id. */
export const NETWORK_CHARS_MAX = 64

/** SHA-256. */
export const HASH_BYTES = 32

/** Statements under one signature: paths stay at 8 hashes, and the last of a batch need not wait long for the first. */
export const BATCH_STATEMENTS_MAX = 256

/** Peers whose clocks must have been seen before this peer's own is corrected: with its own, three votes, the least of which one is wrong alone. */
export const CLOCK_PEERS_MIN = 2

/** Peers whose last clock sample is kept: more than a peer has links. */
export const CLOCK_PEERS_MAX = 256

/** A sample says nothing after this; linked peers are asked every few seconds. */
export const CLOCK_SAMPLE_TTL_MS = 2 * 60_000

/** A sample is off by up to half its round trip; one that took longer says too little. */
export const CLOCK_ROUND_TRIP_MAX_MS = 2_000

/**
 * The largest correction of this peer's clock. Whoever held the majority of a peer's links could move its time by this much and no
 * further; a device whose clock is off by more is told to set it.
 */
export const CLOCK_OFFSET_MAX_MS = 10 * 60_000

/** Statements verified as one batch: what a message may carry, and some tens of milliseconds of work. */
export const VERIFY_BATCH_MAX = 1_024

/** Successions that a lineage may hold: more than a yearly rotation needs in a lifetime; each costs its reader two verifications. */
export const LINEAGE_SUCCESSIONS_MAX = 32

/** Revocations of devices that a lineage may hold, oldest forgotten first. */
export const LINEAGE_DEVICE_REVOCATIONS_MAX = 32

/** Successions of one key that a lineage may hold: two show a conflict, the rest is room for one that is being resolved. */
export const LINEAGE_FORKS_MAX = 4

/** Revocations that a lineage may hold, one for each key that signed one. */
export const LINEAGE_REVOCATIONS_MAX = 8

/** One statement of a lineage, bytes: a succession has about 700. */
export const LINEAGE_STATEMENT_BYTES_MAX = 1_024

/** A whole lineage, bytes: the two lists above and the revocation, all at their largest. */
export const LINEAGE_BYTES_MAX = 72 * 1_024

/** A device certificate, bytes: about 500, and room for a name of four-byte characters. */
export const CERTIFICATE_BYTES_MAX = 1_024

/** Characters of a device's name. */
export const DEVICE_NAME_CHARS_MAX = 48

/** How long a certificate holds. A device that its owner forgot leaves the identity by itself within a month. */
export const CERTIFICATE_LIFETIME_MS = 30 * 86_400_000

/** The longest that a certificate may claim to hold; one that claims more was made to outlive its owner's attention. */
export const CERTIFICATE_LIFETIME_MAX_MS = 90 * 86_400_000

/** A certificate is renewed when it holds no longer than this: a laptop may be shut for a week and a half. */
export const CERTIFICATE_RENEW_MS = 10 * 86_400_000

/**
 * How long a replaced key still counts, by the reason it was replaced: a planned rotation gives other devices a week to be restored
 * from the new backup, a lost one a day, and a key in others' hands no time at all.
 */
export const GRACE_MS = { planned: 7 * 86_400_000, lost: 86_400_000, compromised: 0 } as const

/** How far a succession may lie in the future when it is signed. */
export const SUCCESSION_AHEAD_MAX_MS = 30 * 86_400_000

/** Certificates kept of an identity's devices: for showing them; newest kept. */
export const DEVICES_MAX = 64

/** Unlockers of one identity: passkeys, files, key rings. */
export const UNLOCKERS_MAX = 16

/** Characters of an unlocker's label. */
export const UNLOCKER_LABEL_CHARS_MAX = 64

/** A backup file, bytes: a lineage, the devices, the slots, and what is known of others, all at their largest. */
export const BACKUP_BYTES_MAX = 320 * 1_024

/** What a backup carries beside the identity, sealed, bytes: the largest trust archive, and room to grow. */
export const BACKUP_BOOK_BYTES_MAX = 128 * 1_024

/** The key of that, AES-256, bytes. */
export const BOOK_KEY_BYTES = 32

/** The same, sealed: 16 bytes are the tag. */
export const SEALED_BOOK_KEY_BYTES = 48

/** Memory that opening a backup may ask for, KiB: four times what this version uses. Checked before any is taken. */
export const BACKUP_MEMORY_KIBIBYTES_MAX = 256 * 1_024

/** Passes over that memory that opening a backup may ask for. */
export const BACKUP_ITERATIONS_MAX = 8

/** Lanes that opening a backup may ask for. They are computed one after another here, so they cost no more. */
export const BACKUP_PARALLELISM_MAX = 8

/** A passkey's credential id, bytes. Source: WebAuthn Level 3, section 5.1, which allows 1,023. */
export const CREDENTIAL_ID_BYTES_MAX = 1_023

/** Salt of the passphrase, bytes. Source: RFC 9106, section 3.1 recommends 16. */
export const SALT_BYTES = 16

/** AES-GCM initialization vector, bytes. Source: NIST SP 800-38D, section 8.2. */
export const IV_BYTES = 12

/** A sealed Ed25519 key, bytes: PKCS #8 (RFC 8410) has 48, the tag 16. */
export const SEALED_KEY_BYTES = 64

/** Hashes from a leaf of the largest batch to its root: its logarithm to base 2. */
export const INCLUSION_PATH_MAX = 8
