/** Bounds and times of the mesh's upkeep. */

/** Direct links to aim for: gossipsub's own degree, so that its mesh is full without more. */
export const TARGET_DEGREE = 6

/** Direct links at most; a tab pays about 1 % of a core for ten idle ones. */
export const DEGREE_MAX = 20

/** Dials under way at once: a dial costs both sides about 0.2 s of CPU. One at first and after a failure, one more for each success. */
export const DIALS_PARALLEL_MAX = 3
export const DIALS_PARALLEL_FIRST = 1

/** Between the starts of two dials, so that a room that opens at once does not dial at once. */
export const DIAL_SPACING_MS = 100

/** Links that are urgent: with three the mesh holds. The rest up to the target is filled one by one. */
export const URGENT_DEGREE = 3
export const DIAL_SPACING_CONTENT_MS = 1_000

/** How long the peer with the larger id waits for the other's dial when both look for peers. A dial takes 0.3 s. */
export const TIE_BREAK_MS = 1_500

/** Pause before the third try; the second is made at once. Doubles with each failure. */
export const DIAL_BACKOFF_MS = 2_000

/** The longest pause between tries. */
export const DIAL_BACKOFF_MAX_MS = 60_000

/** Failed direct dials after which a link over the relay is kept instead, until a direct one succeeds. */
export const DIRECT_FAILURES_BEFORE_RELAYED = 3

/** A link that ends sooner than this counts as a failed dial: the other side did not want it. */
export const LINK_SETTLED_MS = 10_000

/** Announcements of one's own addresses while looking for peers, and while content. */
export const ANNOUNCE_SEEKING_MS = 5_000
export const ANNOUNCE_CONTENT_MS = 30_000

/** Never more often than this, whatever happens. */
export const ANNOUNCE_SPACING_MS = 1_000

/** Asking others whom they know, while looking for peers. */
export const EXCHANGE_SEEKING_MS = 4_000

/** A peer that has not been heard of for this long is forgotten: three announcements. */
export const KNOWN_TTL_MS = 95_000

/** Peers remembered; about 1 KiB each. */
export const KNOWN_PEERS_MAX = 512

/** Addresses in one announcement. */
export const ADDRESSES_MAX = 8

/** Characters of one address: a WebRTC-direct address with a relay has about 300. */
export const ADDRESS_CHARS_MAX = 512

/** One announcement, bytes, signed. */
export const ANNOUNCEMENT_BYTES_MAX = 6 * 1024

/** Relays on which to hold a reservation at once: one, and one to fall back on. */
export const RELAYS_WANTED = 2

/** Relays listed at most. */
export const RELAYS_MAX = 16

/** First pause after a relay failed while no other is reserved; a restarted relay must be back within 15 s. */
export const RELAY_BACKOFF_MS = 500
export const RELAY_BACKOFF_URGENT_MAX_MS = 5_000

/** The longest pause while another relay is reserved. */
export const RELAY_BACKOFF_MAX_MS = 60_000

/** A relay that is full is asked again after this, and others are asked first. */
export const RELAY_FULL_RETRY_MS = 20_000

/** Renewed this long before the end. */
export const RESERVATION_RENEWAL_MS = 6 * 60_000

/** A connect or reserve that has not answered by then has failed, whatever its driver says. */
export const RELAY_ATTEMPT_TIMEOUT_MS = 20_000
