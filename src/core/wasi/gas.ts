/**
 * What host calls cost, in the unit of the metered code: about one per simple instruction. The figures are part of what
 * executors agree on, so changing one changes the gas of every unit. Each is at least what the work takes on a slow
 * engine (about 1 ns an instruction), so that a program cannot buy host time more cheaply than its own.
 */

/** Every call, whatever it does: the crossing, the checks, one record read or written. */
export const CALL_GAS = 200n

/** One directory level of a lookup. */
export const COMPONENT_GAS = 100

/** One directory entry created, removed or listed. */
export const ENTRY_GAS = 200

/** One subscription of `poll_oneoff`. */
export const SUBSCRIPTION_GAS = 100

/** One buffer of a scatter or gather list. */
export const IOVEC_GAS = 20

/** One byte of randomness: a ChaCha20 block of 64 bytes takes some 500 instructions. */
export const RANDOM_BYTE_GAS = 8

/** Bytes moved for one unit of gas: block copies run at several bytes an instruction. */
export const BYTES_PER_GAS = 4
