import { DEPTH_UNIT_BYTES, FRAME_UNITS_MAX } from './meter-layout.ts'

/**
 * Weighted size of a function's stack frame.
 *
 * Weighed for the tier with the largest frames, since which tier runs is not deterministic: unoptimised code keeps every
 * parameter, local and operand in its own slot. V8's baseline gives a slot 8 bytes (16 for v128), JavaScriptCore's in-place
 * interpreter 16 for any. The fixed part covers return address, saved registers and instance pointers.
 */
const FRAME_FIXED_BYTES = 96
const SLOT_BYTES = 16

/** A function that calls nothing is on the stack at most once: up to this weight it runs in a reserve and is not counted. */
export const LEAF_RESERVE_BYTES = 4_096

/** @returns Weight in bytes of a frame with `slots` parameters, locals and operands. */
export function frameBytes(slots: number): number {
  return FRAME_FIXED_BYTES + SLOT_BYTES * slots
}

/** @returns Weight in depth units, rounded up; at most `FRAME_UNITS_MAX`, which overflows any limit. */
export function frameUnits(slots: number): number {
  return Math.min(FRAME_UNITS_MAX, Math.ceil(frameBytes(slots) / DEPTH_UNIT_BYTES))
}
