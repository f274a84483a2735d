/** Bounds of the aggregation worker. */

/** Coordinates of every row that the kernel works on at a time: 8 KiB of each of 50 rows fill 400 KiB, less than a core's own cache. */
export const TILE_COORDINATES = 2_048

/** Jobs that wait for the worker: a round in groups sums up two dozen at once, and a peer is in few learning tasks at a time. */
export const JOBS_WAITING_MAX = 64

/** An aggregation without an answer for this long is given up: fifty updates of a million values take seconds on a slow phone. */
export const AGGREGATION_TIMEOUT_MS = 120_000
