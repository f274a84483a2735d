import { describe, expect, it } from 'vitest'
import { MODULE_LIMITS } from '../../core/sandbox/limits.ts'
import { prepareModule } from '../../core/sandbox/prepare.ts'
import type { UnitExecution, UnitInput } from '../../core/tasks/unit.ts'
import {
  commandInput,
  fixtureBytes,
  LIMITS,
  numberOf,
  programBytes,
  reactorInput,
  SEED,
} from '../../testing/sandbox/modules.ts'
import type { UnitLimits } from './contract.ts'
import { runUnit } from './run-unit.ts'

const fixture = compile(fixtureBytes())
const program = compile(programBytes())
const decoder = new TextDecoder()

function compile(bytes: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(prepareModule(bytes, MODULE_LIMITS).bytes)
}

function run(module: WebAssembly.Module, input: UnitInput, limits: Partial<UnitLimits> = {}): UnitExecution {
  return runUnit(module, { name: 'test', input, limits: { ...LIMITS, ...limits }, seed: SEED })
}

/** All but the time, which is the machine's own. */
function agreed({ outcome, gas, memoryBytesPeak }: UnitExecution): unknown {
  return { outcome, gas, memoryBytesPeak }
}

describe('runUnit of a reactor', () => {
  it('answers the bytes it returned, with gas and peak memory', () => {
    const { outcome, gas, memoryBytesPeak } = run(fixture, reactorInput('echo', 12345))
    expect(outcome).toEqual({
      exitCode: 0,
      trap: null,
      stdout: reactorInput('echo', 12345).stdin,
      stderr: new Uint8Array(0),
      files: [],
    })
    expect(gas).toBeGreaterThan(0n)
    expect(memoryBytesPeak).toBe(65_536)
  })

  it('starts every unit in a fresh instance', () => {
    for (let i = 0; i < 3; i++) expect(numberOf(run(fixture, reactorInput('countCalls')).outcome.stdout)).toBe(1)
  })

  it('costs gas in proportion to the work', () => {
    const small = run(fixture, reactorInput('spin', 1_000)).gas
    const large = run(fixture, reactorInput('spin', 1_001_000)).gas
    const each = Number(large - small) / 1_000_000
    expect(each).toBeGreaterThanOrEqual(3)
    expect(each).toBeLessThan(20)
  })

  it('ends an endless loop with the trap gas, at the same gas every time', () => {
    const first = run(fixture, reactorInput('loop'), { gasMax: 5_000_000n })
    expect(first.outcome).toMatchObject({ exitCode: -1, trap: 'gas', stdout: new Uint8Array(0) })
    expect(agreed(run(fixture, reactorInput('loop'), { gasMax: 5_000_000n }))).toEqual(agreed(first))
  })

  it('ends deep recursion with the trap stack, at the same depth every time', () => {
    const deep = run(fixture, reactorInput('recurse', 100_000_000))
    expect(deep.outcome.trap).toBe('stack')
    expect(agreed(run(fixture, reactorInput('recurse', 100_000_000)))).toEqual(agreed(deep))
    expect(run(fixture, reactorInput('recurse', 100)).outcome.trap).toBeNull()
    const shallow = run(fixture, reactorInput('recurse', 100_000_000), { stackBytesMax: 16_384 })
    expect(shallow.outcome.trap).toBe('stack')
    expect(shallow.gas).toBeLessThan(deep.gas)
  })

  it.each([
    ['unreachable', reactorInput('trap')],
    ['a division by zero', reactorInput('divide', 0)],
    ['a load beyond memory', reactorInput('beyondMemory', 0xffff_0000)],
  ])('calls %s the trap wasm', (_, input) => {
    const { outcome } = run(fixture, input)
    expect(outcome).toMatchObject({ exitCode: -1, trap: 'wasm', files: [] })
  })

  it('lets memory grow up to its clamp and no further', () => {
    const grown = run(fixture, reactorInput('grow', 100))
    expect(numberOf(grown.outcome.stdout)).toBe(1)
    expect(grown.memoryBytesPeak).toBe(101 * 65_536)
    const refused = run(fixture, reactorInput('grow', 256))
    expect(numberOf(refused.outcome.stdout)).toBe(0xffff_ffff)
    expect(refused.memoryBytesPeak).toBe(65_536)
  })

  it('bounds what comes back', () => {
    expect(run(fixture, reactorInput('longOutput', 1_048_576)).outcome.stdout).toHaveLength(1_048_576)
    expect(run(fixture, reactorInput('longOutput', 1_048_577)).outcome.trap).toBe('output')
    expect(run(fixture, reactorInput('wildOutput', 100)).outcome.trap).toBe('abi')
  })

  it('refuses arguments and files, which a reactor cannot see', () => {
    expect(run(fixture, { ...reactorInput('echo'), args: ['x'] }).outcome.trap).toBe('abi')
  })

  it('shows the canonical NaN alone', () => {
    const canonical = [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]
    expect([...run(fixture, reactorInput('nanBits', 0)).outcome.stdout]).toEqual([...canonical, ...canonical])
  })
})

describe('runUnit of a command', () => {
  it('passes arguments, environment, standard input and files, and returns streams and files', () => {
    const content = new TextEncoder().encode('some data\n'.repeat(2_000))
    const stdin = new TextEncoder().encode('typed')
    const { outcome } = run(program, commandInput(['copy'], { stdin, files: [{ path: 'data.bin', content }] }))
    expect(outcome).toMatchObject({ exitCode: 0, trap: null, stdout: stdin })
    expect(outcome.files).toEqual([{ path: 'data.copy', content }])
    const greeted = run(program, commandInput(['greet'], { env: [['GREETING', 'hello']] }))
    expect(decoder.decode(greeted.outcome.stdout)).toBe('hello\n')
  })

  it('returns the exit code with what was written before', () => {
    const { outcome } = run(program, commandInput(['exit', '42']))
    expect(outcome).toMatchObject({ exitCode: 42, trap: null })
    expect(decoder.decode(outcome.stderr)).toBe('test leaves with 42\n')
  })

  it('draws randomness and time from the seed and nothing else', () => {
    const first = run(program, commandInput(['dice']))
    expect(agreed(run(program, commandInput(['dice'])))).toEqual(agreed(first))
    const seed = new Uint8Array(32).fill(8)
    const other = runUnit(program, { name: 'test', input: commandInput(['dice']), limits: LIMITS, seed })
    expect(decoder.decode(other.outcome.stdout)).not.toBe(decoder.decode(first.outcome.stdout))
  })

  it('ends a flood of output with the trap output', () => {
    expect(run(program, commandInput(['flood', 'stdout', '1048576'])).outcome.trap).toBeNull()
    expect(run(program, commandInput(['flood', 'stdout', '1048577'])).outcome.trap).toBe('output')
    // A file that finds no room is refused as on a full disk; the program decides what that means.
    expect(run(program, commandInput(['flood', 'file', '2000000'])).outcome.exitCode).toBe(4)
  })

  it('charges host calls', () => {
    const short = run(program, commandInput(['flood', 'stdout', '1000'])).gas
    const long = run(program, commandInput(['flood', 'stdout', '1000000'])).gas
    expect(long).toBeGreaterThan(short)
    expect(run(program, commandInput(['flood', 'stdout', '1000000']), { gasMax: short }).outcome.trap).toBe('gas')
  })
})
