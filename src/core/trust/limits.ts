/** Bounds and parameters of trust. A network's policy may state others; these are the defaults. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

// Score.

/** Judged tasks before a score is believed, also another's word of one: below, chance decides more than quality. */
export const TASKS_MIN = 10
/** Idle time in which a score loses half of its distance to neutral. */
export const SCORE_HALF_LIFE_MS = 14 * DAY_MS
/** Weights of success, speed, cost and age in a score, parts per million; together one. */
export const SUCCESS_WEIGHT_PPM = 500_000
export const SPEED_WEIGHT_PPM = 200_000
export const COST_WEIGHT_PPM = 200_000
export const AGE_WEIGHT_PPM = 100_000
/** Days of dealing over which age counts: at this age tanh(1) of its weight. */
export const AGE_SCALE_MS = 30 * DAY_MS
/** Below this score, parts per million, a peer with the minimum of tasks is blacklisted. */
export const BLACKLIST_SCORE_PPM = 300_000
export const BLACKLIST_MS = 24 * HOUR_MS
/** A good and a bad update of a shared model, parts per million of score. */
export const MODEL_GOOD_PPM = 10_000
export const MODEL_BAD_PPM = 100_000
/** Kinds of task told apart for one peer; the least recently used gives way. */
export const CATEGORIES_MAX = 8
/** Characters of a category's name. */
export const CATEGORY_CHARS_MAX = 40
/** Kinds of task whose averages over all executors are kept. */
export const CATEGORIES_BASELINE_MAX = 64
/** When this many tasks are counted all counters are halved: the past fades as the present counts. */
export const TASKS_WINDOW = 1_000

// Standing and quotas.

export const STANDING_MAX = 1_000
/** Lowest standing of each tier. */
export const TIER_STANDING_MIN = { newcomer: 0, established: 250, trusted: 500, elite: 750 } as const
/** Tasks an hour and connections of each tier. A guest only looks. */
export const TIER_QUOTAS = {
  guest: { tasksPerHour: 0, connectionsMax: 2 },
  newcomer: { tasksPerHour: 10, connectionsMax: 5 },
  established: { tasksPerHour: 50, connectionsMax: 20 },
  trusted: { tasksPerHour: 200, connectionsMax: 50 },
  elite: { tasksPerHour: 1_000, connectionsMax: 100 },
} as const
/** Work that counts as one task. */
export const TASK_MS = 30_000
/** The least a unit counts: a flood of empty units is not free. A thousandth of a task is 30 ms. */
export const UNIT_SHARE_MIN_PPM = 1_000
/** Standing, thousandths, that a good task earns. */
export const STANDING_GOOD_MILLI = 1_000
/** Lost by a task that failed by the executor's fault: ten good ones. */
export const STANDING_FAILED_MILLI = 10_000
/** Lost by a result that was proved wrong: a whole tier. */
export const STANDING_WRONG_MILLI = 250_000
export const QUOTA_WINDOW_MS = HOUR_MS
/** What was used is forgotten in steps of this, late rather than early: no hour ever holds more than its quota. */
export const QUOTA_STEP_MS = MINUTE_MS

// Lies.

/** Wrong results that others outvoted, without own recomputation, until they count as a lie: majorities can be bought, twice less. */
export const OUTVOTED_MAX = 2
/** Attestations in one message. */
export const ATTESTATIONS_PER_MESSAGE_MAX = 8
/** Statements about others that one peer may bring in a minute; each takes up to seven signature checks. */
export const TRUST_STATEMENTS_PER_MINUTE_MAX = 64
/** Attestations told to a peer that connects. */
export const ATTESTATIONS_TOLD_MAX = 32
/** Conflicts that are kept to be shown to whoever connects. */
export const CONFLICTS_TOLD_MAX = 16
/** A conflict with two receipts, the manifest and a small input. */
export const CONFLICT_BYTES_MAX = 98_304
/** Units of others' conflicts that are recomputed here in an hour, so that nobody can make this peer work for nothing. */
export const RECOMPUTATIONS_PER_HOUR_MAX = 12
/** Of these for one accuser. */
export const RECOMPUTATIONS_PER_ACCUSER_MAX = 3
/** Longest unit that is recomputed to settle a dispute of others. */
export const RECOMPUTATION_WALL_MS_MAX = 60_000
/** Distinct credible accusers that convict where recomputing is not possible. Their weights add up; each counts one at most. */
export const ACCUSERS_MIN = 3
/** How long an accusation that was never settled is remembered. */
export const ACCUSATION_TTL_MS = 7 * DAY_MS
/** Accusations remembered about one root. */
export const ACCUSATIONS_PER_ROOT_MAX = 16
/** How long a proved liar stays on the list. */
export const LIAR_MS = 30 * DAY_MS

// Misconduct.

/**
 * What each act adds to a sender's bucket, thousandths. Nobody signs badly by accident; all else a peer of another version, or one that
 * was cut off and begins anew, may do now and then.
 */
export const MISCONDUCT_COST_MILLI = {
  forged: 4_000,
  replayed: 1_000,
  foreign: 1_000,
  malformed: 1_000,
  oversized: 1_000,
  rate: 1_000,
} as const
/** More than this in a sender's bucket bars it: sixteen acts may be faults, seventeen within a minute are none. */
export const MISCONDUCT_MAX_MILLI = 16_000
/** A thousandth is forgiven each step: one act in a minute. */
export const MISCONDUCT_MILLI_STEP_MS = 60
/** Senders whose acts are remembered; who was blamed longest ago gives way. */
export const MISCONDUCT_SENDERS_MAX = 4_096
/** Guests without an identity that are kept out, in memory alone: their keys cost nothing, so a list on disk would be theirs to fill. */
export const BARRED_GUESTS_MAX = 1_024

// Others' word.

/** Part of the blended score that others' word may ever have, parts per million, when own dealings are at their minimum. */
export const ATTESTED_SHARE_PPM = 200_000
/** Weight of one attesting identity at most, parts per million of the full weight that makes the attested part count whole. */
export const ATTESTER_CAP_PPM = 125_000
/** Weight of all attesters behind one address prefix at most. */
export const SUBNET_CAP_PPM = 250_000
/** Attestations kept about one root; those of the least weight give way. */
export const ATTESTATIONS_PER_SUBJECT_MAX = 64
/** Attestations kept of one attester, so that none fills the room of all. */
export const ATTESTATIONS_PER_ATTESTER_MAX = 256
export const ATTESTATIONS_MAX = 16_384
/** Receipts an attestation rests on, as proof of dealing; each is a signature to verify. */
export const ATTESTATION_RECEIPTS_MAX = 3
/** One attestation with receipts and manifests. */
export const ATTESTATION_BYTES_MAX = 65_536
/** An attestation older than this is forgotten; its author repeats it while it deals on. */
export const ATTESTATION_TTL_MS = 14 * DAY_MS
/** Chance of going back to the pre-trusted at each step, parts per million. Source: EigenTrust (Kamvar et al. 2003), section 4.4. */
export const EIGENTRUST_RESTART_PPM = 200_000
/** Steps of the power iteration: what is left of the start is 0.8^20, about one part in a hundred. */
export const EIGENTRUST_STEPS = 20

// Assignment.

/** Part of the units that goes to peers without a record while proven ones could take them, parts per million. */
export const TRIAL_SHARE_PPM = 100_000
/** Reputation below this share of the neutral one gets no work in an open choice. */
export const WEIGHT_MIN = 1
/** Steps of price that halve a candidate's weight each. */
export const PRICE_CLASSES_MAX = 8

// Memory.

/** Roots that are remembered; of those not blacklisted the longest idle are forgotten first. */
export const ROOTS_MAX = 8_192
/** Devices of one root that are remembered. */
export const DEVICES_PER_ROOT_MAX = 16
/** Units of one root whose receipts are remembered as proof of dealing; some of their jobs may be deleted meanwhile. */
export const PROOFS_MAX = 6
/** Points of a root's history that are kept, oldest merged away first. */
export const HISTORY_POINTS_MAX = 200

/** What is known of others in a backup, bytes, before it is sealed. */
export const TRUST_ARCHIVE_BYTES_MAX = 98_304
/** Of these, roots: those barred first, then those dealt with most. */
export const TRUST_ARCHIVE_RECORDS_MAX = 256
/** Latest points of history of each. */
export const TRUST_ARCHIVE_POINTS_MAX = 10
/** One record with all its devices, categories, accusations and history. */
export const TRUST_RECORD_BYTES_MAX = 32_768

// Security events.

export const SECURITY_EVENTS_MAX = 2_000
export const SECURITY_MESSAGE_CHARS_MAX = 300
/** Pieces of evidence in one event, and bytes of each: receipts and manifests are a few hundred. */
export const EVIDENCE_ITEMS_MAX = 4
export const EVIDENCE_BYTES_MAX = 16_384
/** Events of one type about one peer that are written in one window; the rest is counted. A flood must not wash out the log. */
export const SECURITY_REPEATS_MAX = 10
export const SECURITY_REPEATS_WINDOW_MS = 10 * MINUTE_MS
