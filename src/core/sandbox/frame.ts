import { DEPTH_UNIT_BYTES, FRAME_UNITS_MAX } from './meter-layout.ts'

/**
 * Weighted size of a function's stack frame.
 *
 * Weighed for the tier with the largest frames, since which tier runs is not deterministic: unoptimised code keeps every
 * parameter, local and operand in its own slot. V8's baseline gives a slot 8 bytes (16 for v128), JavaScriptCore's in-place
 * interpreter 16 for any. The fixed part covers return address, saved registers and instance pointers.
 *
 * Measured in November 2026 with 31 shapes of recursion (many locals, operands, parameters, results, vectors, indirect calls,
 * heavy leaves, host calls): with limits up to `STACK_BYTES_CEILING` none met the engine's own limit first in Chromium 156
 * (page, worker, nested worker), Firefox 153, WebKitGTK 2.50 (the same three) and Node 24 (main thread, worker_threads). With
 * V8's stack cut to 470 KiB the tightest shape (32 vector results, baseline tier) stood up to 520,000 weighted bytes, with 300
 * KiB to 327,000: the default of 262,144 holds with margin.
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
