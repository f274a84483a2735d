/** Bounds of the proof worker. */

/** Generators derived at a time: their seeds and points fill less than a megabyte of the kernel's memory. */
export const DERIVED_TOGETHER = 2_048
