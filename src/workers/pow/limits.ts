/** Bounds of the miner. What a proof must be is in src/core/admission/limits.ts. */

/** Rates are measured over this long, so that they move with what the machine has to spare and do not flicker. */
export const RATE_WINDOW_MS = 5_000

/** Workers at most, whatever a machine says it has. */
export const MINERS_MAX = 64

/** A worker that has not answered for this long is taken for dead, and its nonces go to another. A chunk takes 50 ms, on a phone 500. */
export const MINER_ANSWER_TIMEOUT_MS = 30_000

/** Pause before a worker that ended is replaced. */
export const MINER_RESTART_MS = 1_000

/** Replacements before mining is given up with an error: a browser that cannot run the kernel will not learn it. */
export const MINER_RESTARTS_MAX = 5
