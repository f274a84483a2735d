import type { DataSchema } from './manifest.ts'
import type { UnitOutcome } from './unit.ts'

const EMPTY = new Uint8Array(0)

/**
 * Holds what a unit left to the least output its manifest states: a program that ended with exit code 0 and wrote less is the trap
 * `output`, like one that wrote too much, which the sandbox stops. Rule [U5].
 *
 * @param output.bytesMin - Of stdout, stderr and files together.
 */
export function heldToOutput(outcome: UnitOutcome, { bytesMin }: Pick<DataSchema, 'bytesMin'>): UnitOutcome {
  const { exitCode, trap, stdout, stderr, files } = outcome
  if (trap !== null || exitCode !== 0) return outcome
  const bytes = files.reduce((sum, { content }) => sum + content.length, stdout.length + stderr.length)
  return bytes >= bytesMin ? outcome : { exitCode: -1, trap: 'output', stdout: EMPTY, stderr: EMPTY, files: [] }
}
