/** Bounds and times of the command line. */

/** Bytes of one line of a JSONL file, and of everything read from a pipe: what a process can hold with room for the job. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024
export const INPUT_BYTES_MAX = 1024 * 1024 * 1024

/** A module on disk; the sandbox has its own, lower limit and says which. */
export const MODULE_BYTES_MAX = 256 * 1024 * 1024

/** Units a range may stand for; the protocol's own bound is higher. */
export const RANGE_UNITS_MAX = 1_000_000

/** Headless tabs on one machine: each is a process of about 130 MiB. */
export const TABS_MAX = 200

/** From opening a tab to a running node in it. A slow machine starts a few tabs in tens of seconds. */
export const TAB_START_TIMEOUT_MS = 90_000

/** Tabs started at once; more only wait for the same cores. */
export const TABS_AT_ONCE = 2

/** How long a job may wait for its first executor before the command gives up. */
export const EXECUTOR_WAIT_SECONDS = 120

/** The welcome job takes seconds; on a machine that is slow beyond use it ends here. */
export const WELCOME_TIMEOUT_MS = 5 * 60_000

/** Everything that was started gets this long to stop before the process ends anyway. */
export const STOP_TIMEOUT_MS = 10_000

/** Progress is drawn at most this often. */
export const PROGRESS_INTERVAL_MS = 100

/** Interrupts within this time are one; a later one ends the process without waiting for what still stops. */
export const SIGNAL_REPEAT_MS = 1_000
