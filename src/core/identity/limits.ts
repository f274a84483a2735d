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

/** Peers whose clocks must have been seen before this peer's own is corrected: fewer are no majority of anything. */
export const CLOCK_PEERS_MIN = 3

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
