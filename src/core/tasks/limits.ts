/** Bounds of the tasks protocol. Every one is enforced where its thing is decoded, validated or queued. */

const KIB = 1024
const MIB = 1024 * KIB

// What a manifest may ask for.

/** Characters of a job's name, which is also `argv[0]`. */
export const NAME_CHARS_MAX = 120
/** Arguments, common and per unit each. */
export const ARGS_MAX = 256
/** Environment variables, common and per unit each. */
export const ENV_MAX = 256
/** UTF-16 code units of one argument, variable name or value. */
export const ARG_CHARS_MAX = 4_096
/** Common arguments and variables together, so that a manifest stays a small block. */
export const ARGS_CHARS_TOTAL_MAX = 32 * KIB
/** Input files, shared and per unit each; output files. */
export const FILES_MAX = 1_024
/** Shared files named in a manifest. */
export const SHARED_FILES_MAX = 64
export const PATH_CHARS_MAX = 512
/** One file, and all input or output bytes of a unit together. */
export const UNIT_BYTES_MAX = 64 * MIB
/** What the sandbox gives at most; its default is 128 MiB. */
export const MEMORY_BYTES_MAX = 512 * MIB
export const CORES_MAX = 64
/** Ten minutes; units are meant to be of seconds, or executors that leave lose too much. */
export const WALL_MS_MAX = 600_000
/** The deepest stack that every engine was measured to bear. */
export const STACK_BYTES_MAX = 512 * KIB
/** What the meter counts to; at a gas a nanosecond some twenty hours. */
export const GAS_MAX = 2n ** 46n
/** Price bound in micro-units per second or MiB; keeps every product of the cost formula within 128 bits. */
export const PRICE_MICRO_UNITS_MAX = 2n ** 53n - 1n
export const REPLICAS_MAX = 16
export const PRIORITY_MAX = 9
/** One in a million is the unit of every rate. */
export const PPM = 1_000_000
/** Thirty days from `validFrom` to `validUntil`. */
export const VALIDITY_MS_MAX = 30 * 24 * 3_600_000
export const MEDIA_TYPE_CHARS_MAX = 127
export const DESCRIPTION_CHARS_MAX = 2_000
/** Units of one job; indices have up to 8 digits in record keys. */
export const UNITS_MAX = 10_000_000

// What travels inline, and batches.

/** Inputs up to this travel in the lease: the largest message that interoperates across WebRTC stacks. */
export const INLINE_INPUT_BYTES_MAX = 16 * KIB
/** Outcomes up to this travel with the result. */
export const INLINE_OUTCOME_BYTES_MAX = 64 * KIB
/** Leases in one message: with full inline inputs half of the largest message. */
export const LEASES_PER_MESSAGE_MAX = 128
/** Results in one message. */
export const RESULTS_PER_MESSAGE_MAX = 256
/** Bytes of outcomes in one results message; half of the largest message. */
export const RESULTS_BYTES_PER_MESSAGE_MAX = 2 * MIB
/** Offers in one gossip message: about 16 KiB. */
export const OFFERS_PER_MESSAGE_MAX = 16
/** Receipts in one request to countersign: about 64 KiB. */
export const COUNTERSIGN_RECEIPTS_MAX = 64
/** Unit indices in an ack, cancel or held list. */
export const UNITS_PER_MESSAGE_MAX = 1_024

// Times of the protocol.

/** How often a requester repeats its offers while it has work. */
export const OFFER_INTERVAL_MS = 5_000
/** An offer not heard for this long is forgotten: six repetitions. */
export const OFFER_TTL_MS = 30_000
/** How often an executor repeats its bid. */
export const HEARTBEAT_INTERVAL_MS = 2_000
/** An executor silent for this long has vanished; its leases go to others. Three heartbeats and their delay. */
export const HEARTBEAT_TIMEOUT_MS = 8_000
/** How often results without an acknowledgement are sent again. */
export const RESEND_INTERVAL_MS = 2_000
/** Results without an acknowledgement for this long are persisted by the executor. */
export const OUTBOX_PERSIST_AFTER_MS = 500
/** How long an executor keeps an unacknowledged result: a requester that is away for longer starts over. */
export const OUTBOX_TTL_MS = 24 * 3_600_000
/**
 * Receipts wait this long for company while their executor has more to do, so that units share signatures, messages and writes: alone,
 * what surrounds a unit cost some 9 ms of CPU over all processes of the browsers, together some 5. A person sees progress four times a second.
 */
export const RECEIPTS_GATHER_MS = 250
/** Part of a lease's deadline that allows for the wire and for queueing at the executor. */
export const LEASE_SLACK_MS = 10_000
/** A lease's deadline in wall limits: one ahead in the queue, one of its own, one for a busy device. */
export const LEASE_WALL_FACTOR = 3
/** A unit is slow when its lease is older than this many medians and nothing is pending. */
export const SPECULATION_FACTOR = 3
/** Never speculate before this age: below it the wire decides, not the executor. */
export const SPECULATION_MS_MIN = 500
/** Turnarounds that the median is taken of. */
export const TURNAROUND_SAMPLES = 64
/** An executor keeps this much work queued for each worker, so that the round trip to the requester and what gathers for it hide behind it. */
export const PIPELINE_MS = 500
/** Near the end of a job it keeps this much: what hides a round trip in a room, and leaves little to wait for. */
export const TAIL_PIPELINE_MS = 50
/** How often accepted receipts are sent round to be countersigned. */
export const COUNTERSIGN_INTERVAL_MS = 2_000

// Bounds of the schedulers' memory.

/** Open jobs of one requester. */
export const JOBS_OPEN_MAX = 256
/** Executors one requester works with at once. */
export const EXECUTORS_MAX = 512
/** Units one executor may hold of one requester. */
export const SLOTS_MAX = 512
/** Requesters one executor listens to. */
export const REQUESTERS_MAX = 64
/** Jobs one executor remembers, per requester. */
export const OFFERED_JOBS_PER_REQUESTER_MAX = 64
/** Workers of one executor. */
export const WORKERS_MAX = 64
/**
 * Units queued ahead for one worker, however tiny. At a millisecond each, 128 with 64 receipts to a signature cost a fifth less CPU around the
 * units than 64 with 32; twice as many again cost the same.
 */
export const PIPELINE_PER_WORKER_MAX = 128
/** Unacknowledged results an executor holds; beyond it, it takes no more work. */
export const OUTBOX_RESULTS_MAX = 2_048
/** Own outcomes an executor remembers so that it can countersign. */
export const OWN_OUTCOMES_MAX = 8_192
/** Inputs a requester keeps loaded ahead of their leases, units. */
export const INPUTS_AHEAD_MAX = 512
/** Executions a unit may take, over all executors, before it fails. */
export const UNIT_ATTEMPTS_MAX = 24
/** Votes on one unit beyond its replicas before the requester recomputes it. */
export const EXTRA_REPLICAS_MAX = 4
/** Failures in a row after which an executor gets no more of the job. */
export const EXECUTOR_STRIKES_MAX = 3
/** Refused messages after which a peer gets no more of any job. */
export const BAD_MESSAGES_MAX = 8
/** Leases looked at in one step in search of slow ones. */
export const SPECULATION_SCAN_MAX = 64
/** Receipts waiting to be countersigned; older ones go without. */
export const COUNTERSIGN_QUEUE_MAX = 4_096
/** Distinct executors that may fail at a unit before it fails itself. */
export const UNIT_FAILURES_MAX = 4
/** Undecided units that were lent, at least; the bound is four times the slots of all executors when that is more. */
export const UNITS_LENT_OPEN_MIN = 256
/** Units that one executor may not take, looked at in one search for one that it may. */
export const TAKE_SCAN_MAX = 64
/** Inputs kept loaded ahead, at least. */
export const INPUTS_AHEAD_MIN = 32
/** How often a requester looks at deadlines and silent executors, and a second, shorter time for the tail of a job. */
export const TICK_INTERVAL_MS = 1_000
export const TAIL_TICK_INTERVAL_MS = 200
/** Inline inputs of one lease message; half of the largest message. */
export const LEASE_INPUT_BYTES_MAX = 2 * MIB
/** Peers banned for their messages, remembered by one requester. */
export const BANNED_PEERS_MAX = 4_096
/** Highest attempt number that a lease states. */
export const ATTEMPT_NUMBER_MAX = 1_000
/** Shortest time between two progress notices of a job whose state stays the same. */
export const PROGRESS_INTERVAL_MS = 100
/** Work started at once for one worker when units are tiny, so that it need not wait for the scheduler between two of them. */
export const EXECUTIONS_AHEAD_US = 32_000
/** Above this a unit is started alone: the wait for the next is lost in the noise, and another requester's turn comes sooner. */
export const SHORT_UNIT_US = 250_000
/** Units started at once for one worker, however tiny they are. */
export const EXECUTIONS_PER_WORKER_MAX = 32
/** Resends slow down to this interval while a requester is silent. */
export const RESEND_INTERVAL_MS_MAX = 60_000
/** Units an executor remembers to have failed at, so that it declines them at once. */
export const FAILED_UNITS_MAX = 4_096
/** Receipts attested in one statement are few, and so are statements: at most this many requests are signed at once. */
export const ATTESTATIONS_PENDING_MAX = 64
/** A job that did not match or could not be prepared is looked at again after this. */
export const OFFER_RETRY_MS = 30_000
/** Receipts of one requester that gather at most before they are signed. */
export const RECEIPTS_GATHERED_MAX = 64
/** A lease that its executor does not know of after this was lost on the way. Two heartbeats and a slow wire. */
export const LEASE_LOST_AFTER_MS = 5_000
/** Undecided units of one job in memory, whoever brought them there: about 8 MB. */
export const OPEN_UNITS_MAX = 16_384
