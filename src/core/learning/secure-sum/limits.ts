/** Participants of one secure sum. Ten times what a round of tabs has; a roster of them is about 100 KiB. */
export const SECURE_SUM_PARTICIPANTS_MAX = 1_000

/** Fewest participants: the sum of two tells each of them the other's update. */
export const SECURE_SUM_PARTICIPANTS_MIN = 3

/** Up to here everybody masks with everybody; above, a sparse graph costs less. 50 key agreements are some 0.1 s of a tab. */
export const COMPLETE_GRAPH_MAX = 50

/** Holders of shares of one secret, the dealer included: the non-zero points of GF(2^8). */
export const SHARE_HOLDERS_MAX = 255

/** Values of one vector: 4 MiB of them, what a block and a worker's message carry. */
export const SUM_LENGTH_MAX = 1_048_576

/** What no coordinate of a sum may reach: the vectors are 32-bit, and a sum that wrapped would be silently wrong. */
export const SUM_BOUND = 2_147_483_648

/** X25519 keys, seeds, hashes and shares, bytes. */
export const KEY_BYTES = 32

/** One sealed pair of shares: two shares and the Poly1305 tag. */
export const SEALED_SHARES_BYTES = 80

/** Both commitments to what one holder gets, bytes. */
export const SHARE_COMMITMENTS_BYTES = 64

/** Events that may wait for what they refer to, in one session: every statement once, and a little disorder. */
export const SECURE_SUM_PENDING_MAX = 4_096

/** The chance, as a power of two, that a sparse graph gives away a secret or comes apart. Source: rule [Q9]. */
export const GRAPH_PRIVACY_BITS = 40

/** The chance, as a power of two, that a sparse graph loses a sum to dropouts within their stated share. */
export const GRAPH_DROPOUT_BITS = 20

/** Colluding peers that a sparse graph is made for, of a thousand. */
export const GRAPH_CORRUPT_PER_MILLE = 100

/** Peers that may drop out of a sparse graph, of a thousand. */
export const GRAPH_DROPOUT_PER_MILLE = 100

/** Groups of one grouped sum: as many as the robust rules take updates. */
export const GROUPS_MAX = 256

// Secure sums in rounds.

/** Fewest contributors of a group's sum in grouped mode: of four, one may collude with others and still see no single update. */
export const GROUP_CONTRIBUTORS_MIN = 4

/** Members of a group where there are enough: one more than its sum's fewest contributors, so that a group outlives one that vanishes. */
export const GROUP_SIZE_MIN = 5

/** Attempts at one sum within a round, each with new keys. A member masks its update in one of them only. */
export const SUM_ATTEMPTS_MAX = 3

/** Members that may call a stage one after the other before it is given up: three that vanish in one round are many. */
export const SUM_CALLERS_MAX = 3

/** A round waits for its sums for this many times `voteMs`: three stages, each with one caller that vanished, and a second attempt. */
export const SUM_PATIENCE = 16

/** Time that a round gives its members to prove and to get each other's proofs: a phone proves for 15 s, and forty proofs are 34 MB. */
export const SUM_PROOF_MS = 60_000

/** Statements of one secure sum that are kept of each member, hostile ones included: two of each kind, and rosters of three stages. */
export const SUM_STATEMENTS_MAX = 16

/** Rosters besides the one that a peer answered which it follows to their sums: those of the other callers, and one more. */
export const SUM_ROSTERS_FOLLOWED_MAX = 4

/** Statements that one request for them names: a whole stage of the largest task. */
export const SUM_WANTS_MAX = 100
