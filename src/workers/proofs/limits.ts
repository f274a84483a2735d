/** Bounds of the proof worker. */

/** Generators derived at a time: their seeds and points fill less than a megabyte of the kernel's memory. */
export const DERIVED_TOGETHER = 2_048

/** Generators of a list that are derived anew when it is read back, drawn at random: each takes 20 µs. */
export const CHECKED_WHEN_RESTORED = 16

/** Calls that wait for the worker; a round has one of each kind. */
export const PROOF_CALLS_WAITING_MAX = 16

/** A call without an answer or progress for this long is given up: a batch of 64 proofs takes 15 s on a desktop, on a phone some times that. */
export const PROOF_TIMEOUT_MS = 180_000
