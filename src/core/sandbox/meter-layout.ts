/**
 * How a running instance keeps its gas and its stack depth.
 *
 * Both live in one i32, the *state*, which every function takes as its last parameter and gives back as its last result, so
 * that it stays in a register:
 *
 * ```
 *   31          30 … 17            16          15 … 0
 *   depth over  frame units used   quantum over  gas used of the current quantum, less one
 * ```
 *
 * One addition charges both, one test of the two guard bits checks both. When a quantum is used up the slow path takes the
 * next one from the `bank` global, which therefore survives any trap and is never more than one quantum behind. A bank below
 * zero means that the gas is used up.
 */

/** Gas of one quantum. */
export const QUANTUM_GAS = 65_536
export const QUANTUM_GUARD = 0x0001_0000
/** Both guard bits, as a signed 32-bit number. */
export const BOTH_GUARDS = 0x8001_0000 | 0
/** The gas field with its guard. */
export const GAS_FIELD = 0x0001_ffff
/** Where the depth field starts. */
export const DEPTH_SHIFT = 17
/** Units that trip the guard of the depth field. */
export const DEPTH_UNITS = 16_384
/** Weighted bytes of one depth unit. */
export const DEPTH_UNIT_BYTES = 32
/** Heaviest frame in units: by itself it trips the guard under any stack limit, and it never carries out of the field. */
export const FRAME_UNITS_MAX = DEPTH_UNITS - 1
/** Highest settable stack limit; its last unit is kept for the guard. */
export const STACK_BYTES_CEILING = DEPTH_UNITS * DEPTH_UNIT_BYTES

/**
 * Largest charge of one cell, and largest sum of charges between two tests: the field and its guard hold 2^17, of which one
 * quantum may be in use, one such sum pending from a callee, and one more added before the next test.
 */
export const CHARGE_MAX = 32_767

/**
 * The `state` global before the meter is started and while the guest runs, when the true state is in registers. Both guards are
 * set and no charge can clear them: a call into an instance that is not started, or has trapped, ends at once.
 */
export const STATE_RUNNING = BOTH_GUARDS | 0
/** Set in the `state` global by an ending that leaves it exact, for the same reason. */
export const STATE_ENDED = 0x8000_0000 | 0

export const STATUS_NONE = 0
export const STATUS_STACK = 1
/** The engine refused memory or table growth within the module's limits: the host's failing, not the guest's. */
export const STATUS_HOST = 2

/** Every name that the rewriter exports starts so; guests may not. */
export const RESERVED_PREFIX = 'starling:'
export const EXPORT_STATE = 'starling:state'
export const EXPORT_BANK = 'starling:bank'
export const EXPORT_STATUS = 'starling:status'
export const EXPORT_PAGES = 'starling:pages'
export const EXPORT_START = 'starling:start'

/** Gas per started unit of length of a bulk instruction, as right shifts: 16 bytes a gas, an element a gas. */
export const BULK_BYTES_SHIFT = 4
/** Gas of one page of `memory.grow`: its bytes are zeroed, 16 a gas. */
export const GROW_PAGE_SHIFT = 12
