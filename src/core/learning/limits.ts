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
