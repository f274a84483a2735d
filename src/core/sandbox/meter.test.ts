import { describe, expect, test } from 'vitest'
import { body, functionType, I32, i32, moduleOf, repeat, runModule } from '../../testing/modules/module-bytes.ts'
import { GAS_MAX } from './limits.ts'
import { meterOf } from './meter.ts'
import { STACK_BYTES_CEILING } from './meter-layout.ts'
import type { Meter } from './module.ts'
import { prepareModule } from './prepare.ts'

const LIMITS = { gasMax: 1_000_000n, stackBytesMax: 262_144 }

interface Started {
  readonly meter: Meter
  readonly exports: Record<string, (...args: number[]) => number>
}

function instantiate(bytes: Uint8Array<ArrayBuffer>, yielded: () => number = () => 0): Started {
  const module = new WebAssembly.Module(prepareModule(bytes).bytes)
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: { sched_yield: yielded } })
  return { meter: meterOf(exports), exports: exports as unknown as Started['exports'] } // the modules here export functions
}

const RECURSION_DEPTH_AT_LEAST = 1_000

describe('meterOf', () => {
  test('gas of several calls adds up', () => {
    const { meter, exports } = instantiate(runModule(repeat(10, [0x01])))
    meter.start(LIMITS)
    exports.run?.()
    const once = meter.gasUsed()
    expect(once).toBeGreaterThanOrEqual(10n)
    for (let i = 0; i < 9; i++) exports.run?.()
    expect(meter.gasUsed()).toBe(10n * once)
  })

  test('a call before start, and one after the end, finds the stack used up', () => {
    const { meter, exports } = instantiate(runModule([0x01]))
    expect(() => exports.run?.()).toThrow(WebAssembly.RuntimeError)
    meter.start(LIMITS)
    expect(() => exports.run?.()).not.toThrow()
    const ended = instantiate(runModule([...i32(1), ...i32(0), 0x6d, 0x1a]))
    ended.meter.start(LIMITS)
    expect(() => ended.exports.run?.()).toThrow(/divi/)
    expect(ended.meter.exhausted()).toBe(null)
    expect(() => ended.exports.run?.()).toThrow(WebAssembly.RuntimeError)
    expect(ended.meter.exhausted()).toBe('stack')
  })

  test('host calls are charged exactly, and end the guest when the gas is used up', () => {
    const bytes = runModule([0x10, 0, 0x1a, 0x10, 0, 0x1a], {
      types: [functionType([], []), functionType([], [I32])],
      imports: [['wasi_snapshot_preview1', 'sched_yield', [0, 1]]],
      exports: [['run', 0, 1]],
    })
    let meter: Meter | null = null
    const run = (charge: bigint, gasMax: bigint): Started => {
      const started = instantiate(bytes, () => {
        meter?.charge(charge)
        return 0
      })
      meter = started.meter
      meter.start({ ...LIMITS, gasMax })
      return started
    }
    const free = run(0n, 1_000_000n)
    free.exports.run?.()
    const own = free.meter.gasUsed()
    for (const charge of [1n, 65_535n, 65_536n, 65_537n, 400_000n]) {
      const charged = run(charge, 1_000_000n)
      charged.exports.run?.()
      expect(charged.meter.gasUsed()).toBe(own + 2n * charge)
    }
    const exact = run(100n, own + 200n)
    exact.exports.run?.()
    expect(exact.meter.gasUsed()).toBe(own + 200n)
    const over = run(600_000n, 1_000_000n)
    expect(() => over.exports.run?.()).toThrow(/Gas is used up: a host call cost 600000/)
    expect(over.meter.exhausted()).toBe('gas')
    expect(over.meter.gasUsed()).toBe(1_000_000n)
  })

  test('gas after a trap of the engine is at most one quantum too much, after unreachable exact', () => {
    const work = repeat(1_000, [0x01])
    const exact = instantiate(runModule([...work, 0x00]))
    exact.meter.start(LIMITS)
    expect(() => exact.exports.run?.()).toThrow(WebAssembly.RuntimeError)
    expect(exact.meter.gasUsed()).toBeLessThan(1_100n)
    const trap = instantiate(runModule([...work, ...i32(1), ...i32(0), 0x6d, 0x1a]))
    trap.meter.start(LIMITS)
    expect(() => trap.exports.run?.()).toThrow(WebAssembly.RuntimeError)
    expect(trap.meter.gasUsed()).toBeGreaterThanOrEqual(1_000n)
    expect(trap.meter.gasUsed()).toBeLessThan(1_100n + 65_536n)
  })

  test.each([
    // Both loops: `n` turns; the second jumps back from its end and tests at its start.
    ['loop that tests at its end', [0x03, 0x40, 0x20, 0, ...i32(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b], 5n],
    [
      'loop that tests at its start',
      [
        0x02,
        0x40,
        0x03,
        0x40,
        0x20,
        0,
        0x45,
        0x0d,
        1,
        ...repeat(20, [0x01]),
        0x20,
        0,
        ...i32(1),
        0x6b,
        0x21,
        0,
        0x0c,
        0,
        0x0b,
        0x0b,
      ],
      28n,
    ],
  ])('each turn of a %s costs its instructions', (_name, code, instructions) => {
    const bytes = moduleOf({
      types: [functionType([I32], [])],
      functions: [0],
      exports: [['run', 0, 0]],
      code: [body(code)],
    })
    const gasOf = (turns: number): bigint => {
      const { meter, exports } = instantiate(bytes)
      meter.start(LIMITS)
      exports.run?.(turns)
      return meter.gasUsed()
    }
    // One more for the loop itself, so that even an empty turn costs something.
    for (const turns of [1, 2, 10, 1_000]) expect(gasOf(turns + 1) - gasOf(turns)).toBe(instructions + 1n)
  })

  test('the start function is metered, and runs in start', () => {
    const { meter } = instantiate(runModule(repeat(100, [0x01]), { start: 0 }))
    meter.start(LIMITS)
    expect(meter.gasUsed()).toBeGreaterThanOrEqual(100n)
  })

  test('memory grows to the limit of the run and no further', () => {
    const bytes = moduleOf({
      types: [functionType([I32], [I32])],
      functions: [0],
      memories: [[0, 1]],
      exports: [['run', 0, 0]],
      code: [body([0x20, 0, 0x40, 0])],
    })
    const { meter, exports } = instantiate(bytes)
    meter.start({ ...LIMITS, memoryPagesMax: 3 })
    expect(exports.run?.(3)).toBe(-1)
    expect(exports.run?.(2)).toBe(1)
    expect(exports.run?.(1)).toBe(-1)
    expect(exports.run?.(0)).toBe(3)
    expect(meter.hostFailed()).toBe(false)
  })

  test('the stack limit is reached at the same depth whatever ran before', () => {
    // run(n) recurs n times.
    const bytes = moduleOf({
      types: [functionType([I32], [])],
      functions: [0],
      exports: [['run', 0, 0]],
      code: [body([0x20, 0, 0x04, 0x40, 0x20, 0, ...i32(1), 0x6b, 0x10, 0, 0x0b])],
    })
    const depthOf = (stackBytesMax: number): number => {
      let low = 0
      let high = 100_000
      while (low < high) {
        const middle = (low + high + 1) >> 1
        const { meter, exports } = instantiate(bytes)
        meter.start({ ...LIMITS, stackBytesMax })
        try {
          exports.run?.(middle)
          exports.run?.(middle) // depth is given back
          low = middle
        } catch {
          expect(meter.exhausted()).toBe('stack')
          high = middle - 1
        }
      }
      return low
    }
    const depth = depthOf(262_144)
    expect(depth).toBeGreaterThan(RECURSION_DEPTH_AT_LEAST)
    expect(depthOf(131_072)).toBeCloseTo(depth / 2, -1)
  })

  test('limits out of range are refused', () => {
    const start = (limits: Partial<typeof LIMITS>): void =>
      instantiate(runModule([])).meter.start({ ...LIMITS, ...limits })
    expect(() => start({ gasMax: GAS_MAX })).not.toThrow()
    expect(() => start({ gasMax: GAS_MAX + 1n })).toThrow(/gasMax/)
    expect(() => start({ gasMax: -1n })).toThrow(/gasMax/)
    expect(() => start({ stackBytesMax: STACK_BYTES_CEILING })).not.toThrow()
    expect(() => start({ stackBytesMax: STACK_BYTES_CEILING + 1 })).toThrow(/stackBytesMax/)
    expect(() => start({ stackBytesMax: Number.NaN })).toThrow(/stackBytesMax/)
  })
})
