/**
 * Random projections of an update that a norm proof may use, each two less than a power of two: the rest of the range proof is the slack.
 * `falseAcceptBound` says what each is worth: the fewest are worth nothing by themselves, and make small proofs to test with.
 */
export const PROJECTION_COUNTS: readonly number[] = [2, 6, 14, 30, 62, 126]

/** Projections that a task may ask for: with fewer, three times the norm bound passes once in eight. */
export const TASK_PROJECTIONS: readonly number[] = [62, 126]

/**
 * Projections by default: the false-accept chance at twice the bound is stated by `falseAcceptBound`.
 *
 * @public
 */
export const PROJECTIONS_DEFAULT = 126

/** Bits of one range: a projection with its sign, and each half of the slack. */
export const RANGE_BITS = 32

/** Largest norm bound of a proof, in 2^-16ths: the projections of an honest update stay below 2^31 with room for their tail. */
export const PROOF_NORM_MAX = 67_108_864

/** The chance, as a power of two, that an honest update is unlucky with its projections and its round goes on without it. */
export const HONEST_REJECT_BITS = 30

/**
 * Parts that generators are folded from at once: half a sum for each halving before costs less than folding at each (sums of 8,192 products are three
 * times cheaper than as many foldings), and 16 parts share their doublings.
 */
export const FOLDS_TOGETHER = 16

/** Values of an update that a proof may cover: its response has 32 bytes for each, within one block of 4 MiB. */
export const PROOF_LENGTH_MAX = 65_536

/** Bits of a blinding in one coordinate of a secure sum: 2^19 of them add up within 32 bits. */
export const BLINDING_LIMB_BITS = 12

/** Coordinates that a blinding, of 253 bits, takes in a secure sum. */
export const BLINDING_COORDINATES = 22

/** Proofs that are verified together: one multiplication over the shared generators serves them all. */
export const PROOF_BATCH_MAX = 64

/** Samples of a public challenge set: MNIST's test set has 10,000; one byte and one hash of each is kept while a claim is made. */
export const CHALLENGE_SAMPLES_MAX = 65_536

/**
 * Predictions that one spot check opens: a tenth of false ones is missed with a chance of 1.4 in a million.
 *
 * @public
 */
export const SPOT_CHECKS_DEFAULT = 128

/** Most predictions that one spot check may open; each costs the verifier a run of the model. */
export const SPOT_CHECKS_MAX = 4_096
