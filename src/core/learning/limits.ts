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
 * L2 norm of an update, in 2^-16ths: 16384.0, less one unit. Squared distances of two such vectors stay below 2^62 and their sums
 * below 2^63, so 64-bit integers hold them exactly; no update of a model that trains comes near it.
 */
export const VECTOR_NORM_MAX = 1_073_741_823

/** Cap that a rule may set on self-reported sample counts; see {@link PEERS_MAX}. */
export const SAMPLES_CAP_MAX = 32_768

/** Iterations of centered clipping: three do in its paper, and each reads all updates. */
export const ITERATIONS_MAX = 16
