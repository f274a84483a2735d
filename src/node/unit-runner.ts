import { toHex } from '../core/codec/bytes.ts'
import { cidOfHash } from '../core/codec/cid.ts'
import { InvalidMessageError } from '../core/codec/errors.ts'
import { sha256Hex } from '../core/codec/hash.ts'
import type { Hash, JobId, PeerId } from '../core/codec/ids.ts'
import type { Executed } from '../core/tasks/executor-events.ts'
import { INLINE_OUTCOME_BYTES_MAX, UNIT_BYTES_MAX } from '../core/tasks/limits.ts'
import type { DataSchema, Manifest } from '../core/tasks/manifest.ts'
import { heldToOutput } from '../core/tasks/output-terms.ts'
import type { UnitFile, UnitInput } from '../core/tasks/unit.ts'
import { decodeInput, encodeOutcome, unitSeed } from '../core/tasks/unit-data.ts'
import type { UnitLimits } from '../workers/sandbox/contract.ts'
import { type NodePorts, sha256 } from './ports.ts'

/** Above this the platform hashes, off this thread; below it the call would cost more than the hash. */
const HASH_HERE_BYTES_MAX = 64 * 1024

/** Largest module that is fetched; the sandbox has a bound of its own below. */
const MODULE_BYTES_MAX = 64 * 1024 * 1024

interface Prepared {
  readonly files: readonly UnitFile[]
}

/** One unit to run here, for another peer or as an audit. */
export interface UnitToRun {
  readonly job: JobId
  readonly manifest: Manifest
  readonly unit: number
  readonly inputHash: Hash
  /** Encoded input; `null` when it must be fetched from `from`. */
  readonly input: Uint8Array | null
  readonly from: readonly PeerId[]
  readonly signal?: AbortSignal
}

/** What running a unit takes of the platform. */
type RunnerPorts = Pick<NodePorts, 'now'> & {
  readonly blocks: Pick<NodePorts['blocks'], 'hold'>
  readonly source: Pick<NodePorts['source'], 'fetch'>
  readonly sandbox: Pick<NodePorts['sandbox'], 'prepare' | 'prepared' | 'execute'>
}

/** Gets what a unit needs (module, shared files, input), runs it in the sandbox, and encodes what came out. */
export class UnitRunner {
  readonly #ports: RunnerPorts
  readonly #prepared = new Map<JobId, Promise<Prepared>>()

  constructor(ports: RunnerPorts) {
    this.#ports = ports
  }

  /**
   * Fetches and prepares a job's module and fetches its shared files. Repeated calls share one attempt.
   *
   * @throws By name: `InvalidModuleError` when the module is refused, `BlockUnavailableError` when nobody has it.
   */
  prepare(job: JobId, manifest: Manifest, from: readonly PeerId[]): Promise<Prepared> {
    const known = this.#prepared.get(job)
    if (known !== undefined) return known
    const attempt = this.#prepare(manifest, from)
    this.#prepared.set(job, attempt)
    attempt.catch(() => this.#prepared.delete(job))
    return attempt
  }

  forget(job: JobId): void {
    this.#prepared.delete(job)
  }

  /**
   * @throws By name: the sandbox's errors (`WallClockError`, `SandboxFaultError`, …), `BlockUnavailableError`, or
   *   `InvalidMessageError` when the input is not the one that was promised.
   */
  async run(work: UnitToRun): Promise<Executed> {
    const { job, manifest, unit, signal } = work
    const { files } = await this.prepare(job, manifest, work.from)
    const input = decodeInput(await this.#input(work))
    const limits = unitLimits(manifest)
    if (!this.#ports.sandbox.prepared(manifest.module, limits.memoryBytesMax))
      await this.#prepareModule(manifest, work.from)
    const startedAtMs = this.#ports.now()
    const execution = await this.#ports.sandbox.execute({
      module: manifest.module,
      name: manifest.name,
      input: wholeInput(manifest, input, files),
      limits,
      seed: unitSeed(job, unit),
      ...(signal === undefined ? {} : { signal }),
    })
    const outcome = heldToOutput(execution.outcome, manifest.output)
    const encoded = encodeOutcome(outcome)
    const outputHash = await hashOf(encoded)
    const inline = encoded.byteLength <= INLINE_OUTCOME_BYTES_MAX
    if (!inline) this.#ports.blocks.hold(cidOfHash(outputHash), encoded)
    return {
      outputHash,
      outcome: inline ? encoded : null,
      exitCode: outcome.exitCode,
      trap: outcome.trap,
      gas: execution.gas,
      durationUs: Math.ceil(execution.durationMs * 1000),
      memoryBytesPeak: execution.memoryBytesPeak,
      startedAtMs,
    }
  }

  async #prepare(manifest: Manifest, from: readonly PeerId[]): Promise<Prepared> {
    await this.#prepareModule(manifest, from)
    const files = await Promise.all(
      manifest.files.map(async ({ path, cid, bytes }) => ({
        path,
        content: await this.#ports.source.fetch(cid, from, bytes),
      })),
    )
    return { files }
  }

  async #prepareModule(manifest: Manifest, from: readonly PeerId[]): Promise<void> {
    const { module, resources } = manifest
    if (this.#ports.sandbox.prepared(module, resources.memoryBytesMax)) return
    const bytes = await this.#ports.source.fetch(module, from, MODULE_BYTES_MAX)
    await this.#ports.sandbox.prepare(module, bytes, { memoryBytesMax: resources.memoryBytesMax })
  }

  async #input({ manifest, input, inputHash, from }: UnitToRun): Promise<Uint8Array> {
    const { bytesMin, bytesMax } = manifest.input
    if (input === null) {
      const fetched = await this.#ports.source.fetch(cidOfHash(inputHash), from, Math.min(bytesMax, UNIT_BYTES_MAX * 2))
      assertInputBytes(fetched.byteLength, { bytesMin, bytesMax })
      return fetched
    }
    assertInputBytes(input.byteLength, { bytesMin, bytesMax })
    if ((await hashOf(input)) !== inputHash) {
      throw new InvalidMessageError('lease.input does not have the hash that was promised', {
        field: 'lease.input',
        limit: inputHash,
      })
    }
    return input
  }
}

/** The manifest says how large an input may be; what the lease claimed was checked against it already. */
function assertInputBytes(bytes: number, { bytesMin, bytesMax }: Pick<DataSchema, 'bytesMin' | 'bytesMax'>): void {
  if (bytes >= bytesMin && bytes <= bytesMax) return
  throw new InvalidMessageError(`Input has ${bytes} bytes, limit ${bytesMin} to ${bytesMax}`, {
    field: 'lease.input',
    value: bytes,
    limit: bytes < bytesMin ? bytesMin : bytesMax,
  })
}

/** The program's arguments are the manifest's, then the unit's own; so with variables and files. */
export function wholeInput(manifest: Manifest, input: UnitInput, shared: readonly UnitFile[]): UnitInput {
  if (manifest.abi === 'reactor') return input
  return {
    args: [...manifest.args, ...input.args],
    env: [...manifest.env, ...input.env],
    stdin: input.stdin,
    files: [...shared, ...input.files],
  }
}

/** What the sandbox holds a unit to. Of its output the schema states the most; the resources only bound that. Rule [M1]. */
export function unitLimits({ resources, output }: Manifest): UnitLimits {
  const { gasMax, stackBytesMax, memoryBytesMax, wallMsMax } = resources
  return { gasMax, stackBytesMax, memoryBytesMax, wallMsMax, outputBytesMax: output.bytesMax }
}

/** SHA-256 in the fastest way for the size. */
export async function hashOf(bytes: Uint8Array): Promise<Hash> {
  if (bytes.byteLength <= HASH_HERE_BYTES_MAX) return sha256Hex(bytes)
  // The text of a digest is a Hash by definition.
  return toHex(await sha256(bytes)) as Hash
}
