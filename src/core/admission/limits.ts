import type { DecodeLimits } from '../codec/limits.ts'

/** Bounds of admission. What a network may choose is in its policy, between these. */

/** A signed policy: a list of a thousand members is about 56 KiB. */
export const POLICY_LIMITS: DecodeLimits = { bytesMax: 128 * 1024, depthMax: 6, itemsMax: 4_000 }

/** What people read of a network, in UTF-16 code units. */
export const POLICY_NAME_CHARS_MAX = 64

/** Root identities that a policy lists; more are let in by invitations. */
export const POLICY_MEMBERS_MAX = 1_000

/** Numbers that a policy states for other parts (quotas, tiers), and the length of their names. */
export const POLICY_PARAMETERS_MAX = 64
export const POLICY_PARAMETER_CHARS_MAX = 64

/** Ticket, beacon and invitation, each alone. */
export const TICKET_LIMITS: DecodeLimits = { bytesMax: 4 * 1024, depthMax: 4, itemsMax: 64 }

/** Everything that a peer shows on connecting: a lineage is the large part. */
export const CREDENTIALS_LIMITS: DecodeLimits = { bytesMax: 96 * 1024, depthMax: 2, itemsMax: 32 }

/** Between two showings to a peer that has not answered: what was in flight when a stream broke is lost. */
export const CREDENTIALS_REPEAT_MS = 1_500

/** Showings without an answer; then the peer does not know the protocol. */
export const CREDENTIALS_SHOWN_MAX = 4

/** How long the level of a peer is kept that is not connected: news of a connection may be behind its credentials. */
export const LEVEL_KEPT_MS = 30_000

/** Leading zero bits that a proof of work needs when few come, and at most. 16 bits are 65,536 guesses on average. */
export const DIFFICULTY_BITS_MIN = 16
export const DIFFICULTY_BITS_MAX = 24

/** What any policy may ask: tests ask for little, nobody for what a year would not find. */
export const DIFFICULTY_BITS_FLOOR = 1
export const DIFFICULTY_BITS_CEILING = 32

/** How far the difficulty moves from one epoch to the next: four times as hard, or as easy. */
export const DIFFICULTY_STEP_BITS_MAX = 2

/**
 * Memory of one guess. 2 MiB leave the first-level caches, and checking one takes 1.3 ms (measured, docs/PROTOCOL.md, [A7]). A policy
 * above the ceiling is refused before anything is hashed, so that no verifier is made to spend a gigabyte.
 */
export const WORK_MEMORY_KIBIBYTES = 2_048
export const WORK_MEMORY_KIBIBYTES_MIN = 64
export const WORK_MEMORY_KIBIBYTES_CEILING = 8_192

/** Passes over the memory: one, so that memory rather than time is what a guess costs. */
export const WORK_PASSES = 1

/** Bytes of a nonce of work, of the challenge (the salt), and of the tag. */
export const WORK_NONCE_BYTES = 8
export const WORK_CHALLENGE_BYTES = 32
export const WORK_TAG_BYTES = 32

/** Time that one proof is bound to. With the epoch after it, a proof is good for two to four hours. */
export const EPOCH_MS = 2 * 60 * 60_000

/** What a policy may choose as its epoch. */
export const EPOCH_MS_MIN = 10_000
export const EPOCH_MS_MAX = 30 * 24 * 60 * 60_000

/** Epochs, beside its own, for which a ticket is good. */
export const TICKET_EPOCHS_AFTER = 1

/** How far ahead a ticket's epoch may begin: device clocks differ by the same as for statements. */
export const EPOCH_LEAD_MS = 2 * 60_000

/** New identities of an epoch at which the difficulty stays as it is. */
export const NEWCOMERS_PER_EPOCH = 256

/** Identities that are counted in one epoch; further ones only make the count larger. */
export const NEWCOMERS_COUNTED_MAX = 65_536

/** Bytes of the founder's randomness in a beacon. */
export const BEACON_RANDOM_BYTES = 32

/** How long an invitation may be good. */
export const INVITATION_MS_MAX = 366 * 24 * 60 * 60_000

/** Failed tickets of one peer in a minute before its further ones are not looked at: each may cost a guess. */
export const TICKET_FAILURES_PER_MINUTE_MAX = 5

/** Proofs checked in a second over all peers, sustained and at once: 65 ms of a second at 1.3 ms each. */
export const PROOFS_PER_SECOND_MAX = 50
export const PROOFS_BURST_MAX = 100

/** Peers whose failures are remembered, longest silent forgotten first. */
export const TICKET_FAILING_PEERS_MAX = 4_096

/** Peers whose level is known. A peer's own connections are fewer; a relay has thousands. */
export const LEVELS_MAX = 16_384

/** A peer that has shown nothing by now counts as a guest. */
export const CREDENTIALS_WAIT_MS = 5_000

/** Guests of one relay at once, so that those without a proof cannot take the places of all. */
export const GUEST_PLACES_MAX = 128

/** A guest that has stayed this long makes room for a new one when the places are full. Mining takes less. */
export const GUEST_PLACE_MS = 10 * 60_000

/** Pieces of work given to a miner at once, in guesses: about 50 ms, so that pausing is felt at once. */
export const WORK_CHUNK_HASHES = 32

/** Finished pieces remembered above the lowest unfinished one. One for each worker is usual. */
export const WORK_RANGES_MAX = 256

/** At most this part of connections from one /24 (IPv4) or /48 (IPv6), in ppm. */
export const SUBNET_SHARE_PPM = 200_000

/** Subnets counted at once; as many as connections of a relay. */
export const SUBNETS_MAX = 8_192

/** How often waits, tickets and epochs are looked at. */
export const ADMISSION_TICK_MS = 500

/** A room's capability: the seed of an Ed25519 key. */
export const CAPABILITY_BYTES = 32

/** How often the progress of a search is written; a crash loses at most this much of it. */
export const MINING_SAVE_INTERVAL_MS = 1_000

/** Between two questions to the relay for a beacon that is not there yet. */
export const BEACON_RETRY_MS = 3_000

/** Verdicts of others that are remembered. */
export const VERDICTS_MAX = 64

/** How long a message waits for a peer to be reached and to show what it has. */
export const MEETING_TIMEOUT_MS = 20_000

/** Lineages with rotations or revocations in them that are remembered; some KiB each. */
export const LINEAGES_KNOWN_MAX = 1_024

/**
 * Links whose address the browser hides: this part of all at most, and always this many. Chromium hides every peer-reflexive address that
 * was not signalled, which without STUN is most of them; a share as small as a subnet's would leave tabs with one link.
 */
export const HIDDEN_SHARE_PPM = 500_000
export const HIDDEN_LINKS_FREE = 3
