/** Bounds of the lab worker. */

/** A run that says nothing for this long is given up: one round of six rules takes under a second on a slow phone. */
export const LAB_SILENCE_MS = 60_000

/** Scores that make a curve: a longer run is scored every few rounds. */
export const LAB_SCORES_MAX = 100
