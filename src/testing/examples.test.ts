import { readFileSync } from 'node:fs'
import { crc32, inflateSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BUILD_STEPS, runStep } from '../../examples/build.ts'
import { EXAMPLES, WELCOME } from '../../examples/catalog.ts'
import { collatz } from '../../examples/collatz/example.ts'
import { type Example, type ExampleValues, jobOf } from '../../examples/example.ts'
import { mandelbrot } from '../../examples/mandelbrot/example.ts'
import { closedFormCall } from '../../examples/option-price/closed-form.ts'
import { optionPrice } from '../../examples/option-price/example.ts'
import { rayTracer } from '../../examples/ray-tracer/example.ts'
import { placeTile, tilingOf } from '../../examples/tiles.ts'
import { prepareModule } from '../core/sandbox/prepare.ts'
import type { UnitOutcome } from '../core/tasks/unit.ts'
import { runUnit } from '../workers/sandbox/run-unit.ts'
import { LIMITS, SEED } from './sandbox/modules.ts'

const EXAMPLES_URL = new URL('../../examples/', import.meta.url)

async function load(path: string): Promise<Uint8Array> {
  return readFileSync(new URL(path, EXAMPLES_URL))
}

/** Runs units of an example here, under the limits its job has. */
async function outcomesOf(example: Example, values: ExampleValues, units?: readonly number[]): Promise<UnitOutcome[]> {
  const spec = await jobOf(example, values, load)
  const module = new WebAssembly.Module(prepareModule(spec.module).bytes)
  const limits = { ...LIMITS, ...example.jobOptions }
  const inputs =
    units === undefined ? spec.inputs : units.map((unit) => spec.inputs[unit] ?? expect.fail(`no unit ${unit}`))
  return inputs.map((input) => {
    const files = spec.sharedFiles
    return runUnit(module, { name: example.name, input: { ...input, files }, limits, seed: SEED }).outcome
  })
}

describe('examples', () => {
  it.each(BUILD_STEPS.map((step) => [`${step.example}/${step.module}`, step] as const))(
    '%s comes from its source',
    (_, step) => {
      expect(['same', 'no-compiler']).toContain(runStep(step, { check: true }))
    },
    60_000,
  )

  it('have distinct ids, a module of the ABI they state and a plan for their defaults', async () => {
    expect(new Set(EXAMPLES.map(({ id }) => id)).size).toBe(EXAMPLES.length)
    for (const example of EXAMPLES) {
      const spec = await jobOf(example, {}, load)
      expect(prepareModule(spec.module).report.abi, example.id).toBe(example.abi)
      expect(spec.inputs.length, example.id).toBeGreaterThan(1)
      expect(spec.options?.quorum).toBeLessThanOrEqual(spec.options?.replicas ?? 0)
    }
    expect(WELCOME.example.plan(WELCOME.values).inputs).toHaveLength(48)
  })

  it('refuse values that are no numbers or out of bounds, naming the option', () => {
    expect(() => mandelbrot.plan({ width: 'wide' })).toThrow('Width is wide')
    expect(() => mandelbrot.plan({ span: '-1' })).toThrow('Span is -1')
    expect(() => collatz.plan({ units: '100001' })).toThrow('Units is 100001')
    expect(() => rayTracer.plan({ tile: '50' })).toThrow('Tile is 50')
  })
})

describe('mandelbrot', () => {
  it('draws the same picture however it is cut', async () => {
    const values = {
      width: '128',
      height: '64',
      iterations: '200',
      samples: '1',
      centreX: '-0.5',
      centreY: '0',
      span: '3',
    }
    const whole = await picture({ ...values, tile: '64' })
    const cut = await picture({ ...values, tile: '16' })
    expect(cut).toEqual(whole)
    const at = (x: number, y: number) => [...whole.subarray((y * 128 + x) * 4, (y * 128 + x) * 4 + 4)]
    // The middle of the picture is inside the set, its corner far outside.
    expect(at(64, 32)).toEqual([0, 0, 0, 255])
    expect(at(0, 0)).not.toEqual([0, 0, 0, 255])
  })

  async function picture(values: ExampleValues): Promise<Uint8Array> {
    const tiling = tilingOf(128, 64, Number(values.tile))
    const pixels = new Uint8Array(128 * 64 * 4)
    const outcomes = await outcomesOf(mandelbrot, values)
    outcomes.forEach(({ stdout }, unit) => {
      placeTile(pixels, tiling, unit, stdout)
    })
    return pixels
  }
})

describe('collatz', () => {
  it.each(['1', '27', '18446744073709551600', '1000000000000000000000000000000'])(
    'agrees with big integers from %s',
    async (start) => {
      const values = { start, units: '2', count: '40' }
      const outcomes = await outcomesOf(collatz, values)
      const { lines } = collatz.summarize(values, outcomes) ?? expect.fail('no summary')
      const { longest, steps, highest } = longestSequence(BigInt(start), 80)
      expect(lines.map(({ value }) => value)).toEqual([longest, steps, highest, '80'].map(String))
    },
  )

  it('traps rather than answer what is not asked', async () => {
    const module = new WebAssembly.Module(prepareModule(await load(collatz.module)).bytes)
    for (const text of ['', '5', '0 1', '5 0', '-5 1', '5 1 1', `${10n ** 80n} 1`]) {
      const stdin = new TextEncoder().encode(text)
      const input = { args: [], env: [], stdin, files: [] }
      expect(runUnit(module, { name: 'collatz', input, limits: LIMITS, seed: SEED }).outcome.trap, text).toBe('wasm')
    }
  })

  function longestSequence(start: bigint, count: number): { longest: bigint; steps: number; highest: bigint } {
    let [longest, most, highest] = [start, -1, start]
    for (let i = 0n; i < count; i++) {
      let steps = 0
      for (let n = start + i; n > 1n; steps++) {
        n = n % 2n === 1n ? 3n * n + 1n : n / 2n
        if (n > highest) highest = n
      }
      if (steps > most) [longest, most] = [start + i, steps]
    }
    return { longest, steps: most, highest }
  }
})

describe('option price', () => {
  it('adds up exactly, however the paths are cut', async () => {
    const one = { units: '1', paths: '1200', steps: '16' }
    const six = { units: '6', paths: '200', steps: '16' }
    const summary = optionPrice.summarize(one, await outcomesOf(optionPrice, one))
    expect(summary).not.toBeNull()
    expect(optionPrice.summarize(six, (await outcomesOf(optionPrice, six)).reverse())).toEqual(summary)
  })

  it('meets the closed form within its own error', async () => {
    const values = { units: '4', paths: '5000', steps: '8' }
    const { lines } = optionPrice.summarize(values, await outcomesOf(optionPrice, values)) ?? expect.fail('no summary')
    const [mean = 0, error = 0] = (lines[1]?.value ?? '').split(' ± ').map(Number)
    const exact = closedFormCall({ spot: 100, strike: 105, rate: 0.03, volatility: 0.2, years: 1 })
    // Hull, "Options, Futures, and Other Derivatives": S = 42, K = 40, r = 10 %, σ = 20 %, half a year gives 4.76.
    expect(closedFormCall({ spot: 42, strike: 40, rate: 0.1, volatility: 0.2, years: 0.5 })).toBeCloseTo(4.76, 2)
    expect(error).toBeGreaterThan(0)
    expect(Math.abs(mean - exact)).toBeLessThan(4 * error)
  })

  it('says what is wrong with its input', async () => {
    const module = new WebAssembly.Module(prepareModule(await load(optionPrice.module)).bytes)
    const input = { args: [], env: [], stdin: new TextEncoder().encode('spot 100\n'), files: [] }
    const { outcome } = runUnit(module, { name: 'option-price', input, limits: LIMITS, seed: SEED })
    expect(outcome.exitCode).toBe(2)
    expect(new TextDecoder().decode(outcome.stderr)).toBe('option-price: strike\n')
  })
})

describe('ray tracer', () => {
  it('draws a tile as part of a larger one', async () => {
    const large = (await outcomesOf(rayTracer, { tile: '40' }, [115]))[0] ?? expect.fail('no tile')
    expect(large).toMatchObject({ exitCode: 0, trap: null })
    // Tile 115 of 18 in a row begins at (280, 240); of tiles of 20, 36 in a row, that is tile 446.
    const small = (await outcomesOf(rayTracer, { tile: '20' }, [446]))[0] ?? expect.fail('no tile')
    const expected = Array.from({ length: 20 }, (_, row) => [
      ...large.stdout.subarray(row * 160, row * 160 + 80),
    ]).flat()
    expect([...small.stdout]).toEqual(expected)
  })

  it('writes a PNG file that is one, and refuses a wrong scene by line', async () => {
    const module = new WebAssembly.Module(prepareModule(await load(rayTracer.module)).bytes)
    const run = (scene: string) => {
      const files = [{ path: 'scene.txt', content: new TextEncoder().encode(scene) }]
      const input = { args: ['/in/scene.txt', '0', '0', '8', '4'], env: [], stdin: new Uint8Array(0), files }
      return runUnit(module, { name: 'ray-tracer', input, limits: LIMITS, seed: SEED }).outcome
    }
    const drawn = run('image 8 4\nsamples 1\ncamera 0 0 5 0 0 0 40 0\nmaterial m 1 0 0 1 0 1 0 0 1\nsphere m 0 0 0 1\n')
    expect(drawn.files.map(({ path }) => path)).toEqual(['tile.png'])
    const png = Buffer.from(drawn.files[0]?.content ?? [])
    expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([8, 4])
    expect(png.subarray(-8, -4).toString()).toBe('IEND')
    const dataBytes = png.readUInt32BE(33)
    const data = png.subarray(41, 41 + dataBytes)
    expect(inflateSync(data)).toHaveLength(4 * (8 * 3 + 1))
    expect(png.readUInt32BE(41 + dataBytes)).toBe(crc32(png.subarray(37, 41 + dataBytes)))
    const refused = run('image 8 4\nsphere brass 0 0 0 1\n')
    expect(refused.exitCode).toBe(1)
    expect(new TextDecoder().decode(refused.stderr)).toBe('/in/scene.txt:2: no material has this name\n')
  })
})
