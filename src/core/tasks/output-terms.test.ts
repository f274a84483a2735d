import { describe, expect, it } from 'vitest'
import { heldToOutput } from './output-terms.ts'
import type { UnitOutcome } from './unit.ts'

const bytes = (length: number): Uint8Array => new Uint8Array(length)
const outcome: UnitOutcome = {
  exitCode: 0,
  trap: null,
  stdout: bytes(2),
  stderr: bytes(3),
  files: [
    { path: 'a', content: bytes(4) },
    { path: 'b', content: bytes(1) },
  ],
}

describe('heldToOutput', () => {
  it('[U5] leaves an output that has the least bytes, counting streams and files', () => {
    expect(heldToOutput(outcome, { bytesMin: 10 })).toBe(outcome)
  })

  it('[U5] makes a byte less the trap `output`, with nothing else', () => {
    const trapped = { exitCode: -1, trap: 'output', stdout: bytes(0), stderr: bytes(0), files: [] }
    expect(heldToOutput(outcome, { bytesMin: 11 })).toEqual(trapped)
  })

  it('[U5] leaves a program that failed or trapped as it ended', () => {
    const failed = { ...outcome, exitCode: 1 }
    const trapped: UnitOutcome = { exitCode: -1, trap: 'gas', stdout: bytes(0), stderr: bytes(0), files: [] }
    for (const ended of [failed, trapped]) expect(heldToOutput(ended, { bytesMin: 11 })).toBe(ended)
  })
})
