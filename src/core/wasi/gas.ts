/**
 * What host calls cost, in the unit of the metered code: about one per simple instruction. The figures are part of what
 * executors agree on, so changing one changes the gas of every unit. Each is about what the work takes, measured in Node at
 * 1 ns for one gas, so that a program cannot buy host time much more cheaply than its own.
 */

/** Every call, whatever it does: crossing and checks take 0.1 to 1 µs, ending with an errno up to 2 µs. */
export const CALL_GAS = 1_000n

/** One directory level of a lookup. */
export const COMPONENT_GAS = 100

/** One directory entry created, removed or listed. */
export const ENTRY_GAS = 1_000

/** One subscription of `poll_oneoff`. */
export const SUBSCRIPTION_GAS = 300

/** One buffer of a scatter or gather list. */
export const IOVEC_GAS = 100

/** One byte of randomness: a ChaCha20 block of 64 bytes takes some 500 instructions. */
export const RANDOM_BYTE_GAS = 8

/** Bytes moved for one unit of gas: block copies run at several bytes an instruction. */
export const BYTES_PER_GAS = 4
