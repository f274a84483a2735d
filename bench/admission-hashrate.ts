/**
 * Guesses a second of the miner on one core, beside native Argon2id (Debian's libargon2) with the same parameters, in turns in the
 * same run; and how long checking one proof takes. Needs gcc or clang and libargon2.so.1.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WORK_CHUNK_HASHES, WORK_MEMORY_KIBIBYTES, WORK_PASSES } from '../src/core/admission/limits.ts'
import { nonceBytes } from '../src/core/admission/ticket.ts'
import type { Argon2idKernel } from '../src/workers/pow/argon2id.ts'
import { loadArgon2id } from '../src/workers/pow/load.node.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

const ROUNDS = 7
const ROUND_SECONDS = 0.8
const CHALLENGE = new Uint8Array(32).fill(5)
/** Never found: the search is what is measured. */
const DIFFICULTY_BITS = 60

export async function run(): Promise<BenchLine[]> {
  const native = buildNative()
  const kernel = await loadArgon2id()
  minedPerSecond(kernel)
  const pairs: { readonly tab: number; readonly native: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever goes first meets other neighbours, so they take turns at that too.
    const before = round % 2 === 0 ? native() : null
    const tab = minedPerSecond(kernel)
    pairs.push({ tab, native: before ?? native() })
  }
  // Medians of each, not of ratios: a round beside a busy neighbour is one value among seven.
  return [
    benchLine(
      'admission.hashrate',
      median(pairs.map(({ tab }) => tab)),
      'hashes/s',
      median(pairs.map(({ native: rate }) => rate)),
    ),
    benchLine('admission.verify', verifyMs(kernel), 'ms'),
  ]
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

/** One proof, as a peer checks it: nothing of it in the caches of the core. */
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
