/**
 * Guesses a second of the miner's kernel on one core of a Chromium tab, beside native Argon2id (Debian's libargon2) with the same
 * parameters, in turns in the same run; the same in Node; and how long checking one proof takes. Needs cc, libargon2.so.1 and
 * Chromium.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { launchChromium } from '../e2e/support/browsers.ts'
import { WORK_CHUNK_HASHES, WORK_MEMORY_KIBIBYTES, WORK_PASSES } from '../src/core/admission/limits.ts'
import { nonceBytes } from '../src/core/admission/ticket.ts'
import { Argon2idKernel, initialInput, PASSWORD_OFFSET } from '../src/workers/pow/argon2id.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

const ROUNDS = 7
const ROUND_SECONDS = 0.8
const CHALLENGE = new Uint8Array(32).fill(5)
/** Never found: the search is what is measured. */
const DIFFICULTY_BITS = 60

export async function run(): Promise<BenchLine[]> {
  const native = buildNative()
  const bytes = readFileSync(new URL('../src/workers/pow/kernel/argon2id.wasm', import.meta.url))
  const kernel = new Argon2idKernel(new WebAssembly.Module(bytes))
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await load(page, bytes)
    const runners = {
      native: async () => native(),
      node: async () => minedPerSecond(kernel),
      tab: () => minedInTab(page),
    }
    // Compiled for good before anything counts.
    await runners.node()
    await runners.tab()
    const rates = { native: [] as number[], node: [] as number[], tab: [] as number[] }
    const names = ['native', 'tab', 'node'] as const
    for (let round = 0; round < ROUNDS; round++) {
      // Whoever goes first meets other neighbours, so they take turns at that too.
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(round + turn) % names.length] as (typeof names)[number]
        rates[name].push(await runners[name]())
      }
    }
    // Medians of each, not of ratios: a round beside a busy neighbour is one value among seven.
    const reference = median(rates.native)
    return [
      benchLine('admission.hashrate', median(rates.tab), 'hashes/s', reference),
      benchLine('admission.hashrate.node', median(rates.node), 'hashes/s', reference),
      benchLine('admission.verify', verifyMs(kernel), 'ms'),
    ]
  } finally {
    await browser.close()
  }
}

function minedPerSecond(kernel: Argon2idKernel): number {
  const work = {
    challenge: CHALLENGE,
    memoryKibibytes: WORK_MEMORY_KIBIBYTES,
    passes: WORK_PASSES,
    difficultyBits: DIFFICULTY_BITS,
  }
  const started = performance.now()
  let hashes = 0
  while (performance.now() - started < ROUND_SECONDS * 1_000) {
    hashes += kernel.mine(work, BigInt(hashes), WORK_CHUNK_HASHES).hashes
  }
  return (hashes * 1_000) / (performance.now() - started)
}

/** What the module of the kernel exports, as far as mining needs it. */
interface KernelExports {
  readonly memory: WebAssembly.Memory
  readonly input: () => number
  readonly prepare: (memoryKibibytes: number, passes: number) => number
  readonly mine: (inputBytes: number, nonceOffset: number, first: bigint, count: number, bits: number) => number
}

declare global {
  /** The kernel as the tab has it, with the input that the miner gives it. */
  var kernel: Pick<KernelExports, 'mine'> & { readonly inputBytes: number }
}

async function load(page: Page, wasm: Uint8Array): Promise<void> {
  const parameters = { memoryKibibytes: WORK_MEMORY_KIBIBYTES, passes: WORK_PASSES }
  const input = initialInput({ password: new Uint8Array(8), salt: CHALLENGE, ...parameters })
  await page.evaluate(
    async ({ base64, inputNumbers, memoryKibibytes, passes }) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const { instance } = await WebAssembly.instantiate(bytes)
      // A module does not tell the types of its exports; the kernel has these.
      const { memory, input, prepare, mine } = instance.exports as unknown as KernelExports
      prepare(memoryKibibytes, passes)
      new Uint8Array(memory.buffer, input(), inputNumbers.length).set(inputNumbers)
      globalThis.kernel = { inputBytes: inputNumbers.length, mine }
    },
    { base64: Buffer.from(wasm).toString('base64'), inputNumbers: [...input], ...parameters },
  )
}

function minedInTab(page: Page): Promise<number> {
  return page.evaluate(
    ({ seconds, chunk, offset, bits }) => {
      const { kernel } = globalThis
      const started = performance.now()
      let hashes = 0
      while (performance.now() - started < seconds * 1_000) {
        hashes += kernel.mine(kernel.inputBytes, offset, BigInt(hashes), chunk, bits)
      }
      return (hashes * 1_000) / (performance.now() - started)
    },
    { seconds: ROUND_SECONDS, chunk: WORK_CHUNK_HASHES, offset: PASSWORD_OFFSET, bits: DIFFICULTY_BITS },
  )
}

/** One proof, as a peer checks it. */
function verifyMs(kernel: Argon2idKernel): number {
  const times = Array.from({ length: 40 }, (_, nonce) => {
    const started = performance.now()
    kernel.hash({
      password: nonceBytes(BigInt(nonce)),
      salt: CHALLENGE,
      memoryKibibytes: WORK_MEMORY_KIBIBYTES,
      passes: WORK_PASSES,
    })
    return performance.now() - started
  })
  return median(times)
}

/** Compiles the loop around the system's library; returns what runs one round of it. */
function buildNative(): () => number {
  const program = join(mkdtempSync(join(tmpdir(), 'starling-argon2-')), 'argon2id-loop')
  const source = join(import.meta.dirname, 'native', 'argon2id-loop.c')
  execFileSync('cc', ['-O2', source, '-o', program, '-l:libargon2.so.1'])
  const args = [String(WORK_MEMORY_KIBIBYTES), String(WORK_PASSES), String(ROUND_SECONDS)]
  return () => Number(execFileSync(program, args, { encoding: 'utf8' }))
}

if (import.meta.main) for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`)
