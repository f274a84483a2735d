import { GAS_MAX, MODULE_LIMITS, PAGE_BYTES, STACK_BYTES_MAX } from '../core/sandbox/limits.ts'
import { WALL_MS_MAX } from '../core/tasks/limits.ts'
import type { Capability } from '../core/tasks/matching.ts'
import { OUTPUT_BYTES_MAX } from '../workers/sandbox/limits.ts'

/** What this device takes on: all that the sandbox allows. */
export function ownCapability(workersMax: number): Capability {
  return {
    abis: ['wasi-command', 'reactor'],
    memoryBytesMax: MODULE_LIMITS.memoryPagesMax * PAGE_BYTES,
    cores: workersMax,
    wallMsMax: WALL_MS_MAX,
    stackBytesMax: STACK_BYTES_MAX,
    gasMax: GAS_MAX,
    outputBytesMax: OUTPUT_BYTES_MAX,
    microUnitsPerSecondMin: 0n,
    microUnitsPerMebibyteMin: 0n,
    uptimePpm: 1_000_000,
    failurePpm: 0,
    reputationPpm: 1_000_000,
  }
}
