/** Results fetched from the node in one call: enough that a call per batch costs nothing, few enough that large outcomes fit in memory. */
export const RESULTS_PER_CALL = 64

/** A run looks for news by itself after this long, in case the event that told of it was lost with a tab. */
export const POLL_INTERVAL_MS = 2_000
