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
