/** Bounds of the sandbox at run time. `docs/LIMITS.md` lists them; each has a test that goes one over. */

export { PAGE_BYTES } from '../../core/sandbox/limits.ts'

/** Linear memory of one instance unless its manifest says otherwise: four of them fit beside a tab on a small phone. */
export const MEMORY_BYTES_DEFAULT = 128 * 1_048_576

/** The most linear memory anybody may ask for. */
export const MEMORY_BYTES_MAX = 512 * 1_048_576

/** Compute workers of one pool. More than any machine that opens a tab has cores for. */
export const WORKERS_MAX = 64

/** Executions waiting or running in one pool; a caller that needs more keeps them itself, where they can be persisted. */
export const EXECUTIONS_QUEUED_MAX = 4_096

/** Compiled modules kept. Each holds machine code, roughly ten times the module's own size. */
export const MODULES_CACHED_MAX = 32

/** Prepared bytes of all kept modules together, so that a few giant ones cannot fill the tab. */
export const MODULES_CACHED_BYTES_MAX = 64 * 1_048_576

/** Wall clock of one execution unless its manifest asks for less or more. */
export const WALL_MS_DEFAULT = 30_000

/** The longest wall clock anybody may ask for: a worker that answers nothing for longer is taken for dead. */
export const WALL_MS_MAX = 600_000

/** Parsing, rewriting and compiling one module. A 1 MiB module takes well under a second; an engine stuck in its compiler is ended. */
export const PREPARE_WALL_MS = 30_000

/** The worker that prepares modules is ended after this long without work. */
export const PREPARER_IDLE_MS = 30_000

/** Units handed to a worker ahead of the one it runs: at least this many, so that a core never waits for the node's thread. */
export const PIPELINE_UNITS_MIN = 2

/** And at most this many, however tiny they are: what is handed over cannot be given to another worker. */
export const PIPELINE_UNITS_MAX = 64

/** Work aimed to lie ready in a worker, judged by how long units of the same module took lately: a busy thread's longest pauses. */
export const PIPELINE_TARGET_MS = 50

/** Only units that lately took at most this long are handed over ahead; for longer ones the wait for the next is lost in the noise. */
export const PIPELINE_UNIT_MS_MAX = 250

/** Units that wait behind one which runs longer than this are given to other workers too; the first answer counts. */
export const STALL_MS = 500

/** Weight of the newest duration in the running mean by which the length of a module's units is judged. */
export const DURATION_WEIGHT = 0.2

/** A cancelled unit that already runs may end by itself for this long; killing a worker costs about as much. */
export const CANCEL_GRACE_MS = 50

/** When a deadline passes, results that already wait in this thread's queue are read before the worker is ended. */
export const DEADLINE_RECHECK_MS = 50

/** A worker has to say it is ready within this time; loading its script over a bad link is the slow case. */
export const SPAWN_READY_MS = 20_000

/** Workers that die before they were ready, in a row, before the pool gives up and says so. */
export const SPAWN_FAILURES_MAX = 5

/** Pause before a worker that failed to start is tried again; doubles with each failure in a row. */
export const SPAWN_RETRY_MS = 100

/** Smallest share of a core that still makes progress. */
export const CPU_SHARE_MIN = 0.05

/** Idle time owed is paid in pieces at least this long: browsers round shorter timers up to 4 ms. */
export const IDLE_MS_MIN = 8

/** A unit that failed for the machine's reasons (out of memory, worker died) is tried this often before it is given back. */
export const ATTEMPTS_MAX = 2

/** What a program may say on standard error; it is for people. */
export const STDERR_BYTES_MAX = 65_536

/** Files one unit may leave. */
export const FILES_MAX = 1_024

/** Everything one unit reads. Bigger data sets are cut into units. */
export const INPUT_BYTES_MAX = 64 * 1_048_576

/** Everything one unit writes, unless its manifest says less. */
export const OUTPUT_BYTES_MAX = 64 * 1_048_576

/** Output buffers at least this long are moved between threads instead of copied; below, copying is cheaper. */
export const TRANSFER_BYTES_MIN = 16_384
