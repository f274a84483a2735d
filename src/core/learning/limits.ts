/** Bounds of learning. */

// Aggregation.

/**
 * Updates in one aggregation. With {@link SAMPLES_CAP_MAX} and {@link VECTOR_NORM_MAX} it keeps every weighted sum of a coordinate
 * below 2^53, where doubles are exact integers: 2^30 · 2^15 · 2^8.
 */
export const PEERS_MAX = 256

/** Parameters of one model. An update of this size is 64 MiB; fifty of them fill what a tab may hold. */
export const PARAMETERS_MAX = 16_777_216

/**
 * L2 norm of an update, in 2^-16ths: 16384.0, less one unit. Differences of their values fit 32 bits, and squared distances of two
 * such vectors, or of means of such, fit 63, so 64-bit integers hold them exactly; no update of a model that trains comes near it.
 */
export const VECTOR_NORM_MAX = 1_073_741_823

/** Cap that a rule may set on self-reported sample counts; see {@link PEERS_MAX}. */
export const SAMPLES_CAP_MAX = 32_768

/** Iterations of centered clipping: three do in its paper, and each reads all updates. */
export const ITERATIONS_MAX = 16
// Models and data.

/**
 * Parameters of a model (`d`): 4 MiB on the wire as I16F16, what one stream's message may hold; an MLP 784-32-10 has 25,450.
 */
export const MODEL_PARAMETERS_MAX = 1_000_000

/** Features or channels of one layer; the largest first layer within {@link MODEL_PARAMETERS_MAX} is far smaller. */
export const LAYER_WIDTH_MAX = 65_536

/** Layers of a model, outputs included: each costs a kernel or two per step. */
export const LAYERS_MAX = 8

/** Pixels a side of a picture that a model takes: a phone trains on 64×64, larger ones are scaled down when read. */
export const PICTURE_SIDE_MAX = 256

/** Samples of one dataset: MNIST has 70,000. */
export const DATASET_SAMPLES_MAX = 1_000_000

/** Bytes of one dataset in memory, its features as 32-bit floats: all of MNIST takes 210 MiB. */
export const DATASET_BYTES_MAX = 512 * 1024 * 1024

/** Classes of a dataset: labels are one byte each, as in IDX files. */
export const DATASET_CLASSES_MAX = 256

/** Columns of a table, label included: more is a matrix, not a table. */
export const TABLE_COLUMNS_MAX = 4_096

/** Different values of one column of categories: each is an input of the model. */
export const TABLE_CATEGORIES_MAX = 256

/** Characters of a column's name, a category or a label: they are shown and carried in manifests. */
export const TABLE_NAME_CHARS_MAX = 128

/** Parts of a split: as many as peers of a round. */
export const DATASET_PARTS_MAX = 1_024

// Rounds.

/** Members of one learning task: each hears every other's votes, so traffic grows with the square. */
export const MEMBERS_MAX = 100

/** Fewest participants of a round: with one, its update alone is the model's change. */
export const PARTICIPANTS_MIN = 2

/** Rounds of one task: whoever joins late reads one signed outcome for each. */
export const ROUNDS_MAX = 1_000

/** Characters of a task's name and of a class's. */
export const LEARNING_NAME_CHARS_MAX = 120

/** Characters of a task's description. */
export const LEARNING_DESCRIPTION_CHARS_MAX = 1_000

/** Samples in one batch. */
export const BATCH_SIZE_MAX = 4_096

/** Optimiser steps of one member in one round: minutes of a tab's time. */
export const LOCAL_STEPS_MAX = 10_000

/** Decimals of a task travel as whole millionths: a million is 1.0. */
export const MILLIONTHS = 1_000_000

/** Learning rates, momenta and μ beyond this diverge. */
export const RATE_MILLIONTHS_MAX = 100 * MILLIONTHS

/** Characters of a task's schema of tables, as JSON: hundreds of columns. */
export const TABLE_JSON_CHARS_MAX = 65_536

/** Shortest phase of a round: a message has to cross a slow network and be answered. */
export const PHASE_MS_MIN = 200

/** Longest phase of a round. */
export const PHASE_MS_MAX = 24 * 3_600_000

/** Factor by which a loss may grow before a vote against; above it nothing is ever voted out. */
export const LOSS_FACTOR_MILLIONTHS_MAX = 1_000 * MILLIONTHS

/** Bytes of a commitment to an update: a compressed ristretto255 point. */
export const COMMITMENT_BYTES = 32

/** Attempts to agree on one round that are remembered; after these only a newer attempt of a quorum counts. */
export const VIEWS_MAX = 64

/** Different votes of one author in one step of one view that are kept: its first, and what it told others instead. */
export const VOTES_KEPT_MAX = 4

/** Statements of a round that are not ours to use yet, for each author: those of the next round from faster members. */
export const EARLY_STATEMENTS_MAX = 16

/** Statements in one bundle: all own ones of a round, or what a round begins with. */
export const BUNDLE_STATEMENTS_MAX = 256

/** Bytes of one bundle: gossip's own bound. */
export const BUNDLE_BYTES_MAX = 64 * 1_024

/** Outcomes in one answer to a member that is behind; with 100 members each has about 30 kB. */
export const COMMITS_PER_MESSAGE_MAX = 64

/** Tasks in one announcement to a new neighbour. */
export const TASKS_PER_MESSAGE_MAX = 32

/** Tasks of others that a peer remembers; the oldest that it takes no part in goes first. */
export const TASKS_KNOWN_MAX = 256

/** A member says this often which round it is in. */
export const PRESENCE_INTERVAL_MS = 3_000

/** A member not heard of for this long is not waited for: four presences may be lost. */
export const MEMBER_SILENCE_MS = 15_000

/** Own statements of a round are said again after this long without progress; each time it doubles. */
export const REPEAT_MS_MIN = 1_000

/** The longest that a stalled round waits before it says everything again. */
export const REPEAT_MS_MAX = 8_000

/** A member that is behind asks at most this often; the answer holds many rounds. */
export const SYNC_INTERVAL_MS = 1_000

/** Rounds in a row in which a member's update is voted out, after which it is a member no more. */
export const STRIKES_MAX = 3

// The attack lab.

/** Members of a lab: fewer have no minority. */
export const LAB_PEERS_MIN = 3

/** Members of a lab: at forty each has 75 of the bundled digits, and a run still takes seconds. */
export const LAB_PEERS_MAX = 40

/** Rounds of a lab: below ten nothing is learned yet. */
export const LAB_ROUNDS_MIN = 10

/** Rounds of a lab: as many as the published table has. */
export const LAB_ROUNDS_MAX = 300

/** Rules side by side in a lab: more curves than that cannot be told apart. */
export const LAB_RULES_MAX = 6

/** Most skewed split of a lab: below it a class has but one owner. */
export const LAB_ALPHA_MIN = 0.05

/** Least skewed split of a lab: above it nothing tells it from IID. */
export const LAB_ALPHA_MAX = 100
