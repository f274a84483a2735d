import { toHex } from '../../src/core/codec/bytes.ts'
import { sha256Bytes, sha256Hex } from '../../src/core/codec/hash.ts'
import type { Trap, UnitInput } from '../../src/core/tasks/unit.ts'
import { encodeOutcome } from '../../src/core/tasks/unit-data.ts'
import type { SandboxPool, UnitLimits } from '../../src/workers/sandbox/contract.ts'

/** Units whose outcome must be the same on every engine, in a form that travels as JSON. */
export interface Corpus {
  /** Ids under which {@link runCorpus} loads them. */
  readonly modules: readonly string[]
  readonly units: readonly CorpusUnit[]
}

export interface CorpusUnit {
  readonly id: string
  readonly module: string
  readonly args: readonly string[]
  /** Base64. */
  readonly stdin: string
  readonly files: readonly { readonly path: string; readonly content: string }[]
  readonly limits: Omit<UnitLimits, 'gasMax'> & { readonly gasMax: string }
}

/** What honest executors must agree on, or the error that kept this one from an outcome. */
export interface CorpusResult {
  readonly id: string
  readonly outputHash: string
  readonly exitCode: number
  readonly trap: Trap | null
  readonly gas: string
  readonly memoryBytesPeak: number
  /** First bytes of the answer, to see by eye where engines part. */
  readonly head: string
  readonly error: string | null
}

const HEAD_BYTES = 16

/** Runs a corpus through a pool: the same code in every engine. */
export async function runCorpus(
  pool: SandboxPool,
  corpus: Corpus,
  load: (module: string) => Promise<Uint8Array>,
): Promise<readonly CorpusResult[]> {
  const results: CorpusResult[] = []
  // One after the other, since a pool keeps a bounded number of modules.
  for (const module of corpus.modules) {
    const units = corpus.units.filter((unit) => unit.module === module)
    const refused = await pool.prepare(module, await load(module)).then(
      () => null,
      (error: Error) => `${error.name}: ${error.message}`,
    )
    results.push(...(await Promise.all(units.map((unit) => runOne(pool, unit, refused)))))
  }
  return results
}

async function runOne(pool: SandboxPool, unit: CorpusUnit, refused: string | null): Promise<CorpusResult> {
  const { id, module } = unit
  const failed = { id, outputHash: '', exitCode: -1, trap: null, gas: '', memoryBytesPeak: 0, head: '' }
  if (refused !== null) return { ...failed, error: refused }
  const limits = { ...unit.limits, gasMax: BigInt(unit.limits.gasMax) }
  const seed = sha256Bytes(new TextEncoder().encode(id))
  try {
    const { outcome, gas, memoryBytesPeak } = await pool.execute({
      module,
      name: module,
      input: inputOf(unit),
      limits,
      seed,
    })
    const { exitCode, trap, stdout } = outcome
    const outputHash = sha256Hex(encodeOutcome(outcome))
    const head = toHex(stdout.subarray(0, HEAD_BYTES))
    return { id, outputHash, exitCode, trap, gas: String(gas), memoryBytesPeak, head, error: null }
  } catch (error) {
    return { ...failed, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

function inputOf({ args, stdin, files }: CorpusUnit): UnitInput {
  return {
    args,
    env: [],
    stdin: fromBase64(stdin),
    files: files.map(({ path, content }) => ({ path, content: fromBase64(content) })),
  }
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
