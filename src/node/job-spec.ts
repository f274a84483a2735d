import { InvalidMessageError } from '../core/codec/errors.ts'
import type { Cid, PeerId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import { STACK_BYTES_MAX as STACK_BYTES_DEFAULT } from '../core/sandbox/limits.ts'
import { UNITS_MAX } from '../core/tasks/limits.ts'
import type { Manifest, SharedFile } from '../core/tasks/manifest.ts'
import { validateManifest } from '../core/tasks/manifest-schema.ts'
import { MEMORY_BYTES_DEFAULT, WALL_MS_DEFAULT } from '../workers/sandbox/limits.ts'
import type { JobOptions, JobSpec } from './contract.ts'

/** What a job gets where its spec is silent. */
export const JOB_OPTIONS_DEFAULT: JobOptions = {
  replicas: 2,
  quorum: 2,
  auditPpm: 0,
  useOwnWorkers: true,
  priority: 5,
  memoryBytesMax: MEMORY_BYTES_DEFAULT,
  // About ten minutes of one core: the wall clock ends a unit first, gas what only looks busy.
  gasMax: 1n << 40n,
  wallMsMax: WALL_MS_DEFAULT,
  stackBytesMax: STACK_BYTES_DEFAULT,
  outputBytesMax: 16 * 1024 * 1024,
  pricePerSecondMicro: 0n,
  pricePerMebibyteMicro: 0n,
  priceMaxMicro: 0n,
}

/** A job is offered for a week; what is not done by then is given up. */
const VALIDITY_MS = 7 * 24 * 3_600_000
/** Executors' clocks may be behind. */
const VALIDITY_SLACK_MS = 10 * 60_000

/** The module and the shared files of a job, as blocks. */
export interface JobBlocks {
  readonly module: Cid
  readonly files: readonly SharedFile[]
}

/**
 * The manifest of a spec.
 *
 * @throws `InvalidMessageError` Naming the first field that is wrong, its value and its limit.
 */
export function manifestOfSpec(
  spec: JobSpec,
  context: {
    readonly requester: PeerId
    readonly blocks: JobBlocks
    readonly nowMs: number
    readonly random: (bytes: number) => Uint8Array
  },
): Manifest {
  if (spec.inputs.length === 0 || spec.inputs.length > UNITS_MAX) {
    throw new InvalidMessageError(`job.inputs has ${spec.inputs.length} entries, limit 1 to ${UNITS_MAX}`, {
      field: 'job.inputs',
      value: spec.inputs.length,
      limit: UNITS_MAX,
    })
  }
  const options = jobOptions(spec)
  return validateManifest({
    version: 1,
    requester: context.requester,
    nonce: context.random(NONCE_BYTES),
    name: spec.name,
    module: context.blocks.module,
    abi: spec.abi,
    args: [],
    env: [],
    files: context.blocks.files,
    resources: {
      memoryBytesMax: options.memoryBytesMax,
      cores: 1,
      wallMsMax: options.wallMsMax,
      stackBytesMax: options.stackBytesMax,
      gasMax: options.gasMax,
      outputBytesMax: options.outputBytesMax,
    },
    payment: {
      microUnitsPerSecond: options.pricePerSecondMicro,
      microUnitsPerMebibyte: options.pricePerMebibyteMicro,
      microUnitsTotalMax: options.priceMaxMicro,
    },
    serviceLevel: { uptimePpmMin: 0, failurePpmMax: 1_000_000, reputationPpmMin: 0 },
    verification: {
      replicas: options.replicas,
      quorum: options.quorum,
      auditPpm: options.auditPpm,
      speculation: true,
    },
    input: { mediaType: 'application/cbor', bytesMin: 0, bytesMax: largestInput(spec), description: '' },
    output: { mediaType: 'application/cbor', bytesMin: 0, bytesMax: options.outputBytesMax, description: '' },
    priority: options.priority,
    validFromMs: context.nowMs - VALIDITY_SLACK_MS,
    validUntilMs: context.nowMs + VALIDITY_MS,
  })
}

export function jobOptions(spec: Pick<JobSpec, 'options'>): JobOptions {
  const { options = {} } = spec
  const replicas = options.replicas ?? Math.max(JOB_OPTIONS_DEFAULT.replicas, options.quorum ?? 0)
  const quorum = options.quorum ?? Math.min(JOB_OPTIONS_DEFAULT.quorum, replicas)
  return { ...JOB_OPTIONS_DEFAULT, ...options, replicas, quorum }
}

/** What the options were, read back from what was signed. */
export function optionsOfManifest(manifest: Manifest, executeHere: boolean): JobOptions {
  const { resources, payment, verification, priority } = manifest
  return {
    replicas: verification.replicas,
    quorum: verification.quorum,
    auditPpm: verification.auditPpm,
    useOwnWorkers: executeHere,
    priority,
    memoryBytesMax: resources.memoryBytesMax,
    gasMax: resources.gasMax,
    wallMsMax: resources.wallMsMax,
    stackBytesMax: resources.stackBytesMax,
    outputBytesMax: resources.outputBytesMax,
    pricePerSecondMicro: payment.microUnitsPerSecond,
    pricePerMebibyteMicro: payment.microUnitsPerMebibyte,
    priceMaxMicro: payment.microUnitsTotalMax,
  }
}

/** Content bytes of the largest input, its structure aside. */
/** An upper bound of what the largest input takes as CBOR: encoding thousands of them for the exact figure would delay the job. */
export function largestInput(spec: Pick<JobSpec, 'inputs'>): number {
  let largest = 0
  for (const { args, env, stdin, files } of spec.inputs) {
    let bytes = INPUT_FRAME_BYTES_MAX + stdin.byteLength
    for (const text of args) bytes += textBytesMax(text)
    for (const [name, value] of env) bytes += CBOR_HEAD_BYTES_MAX + textBytesMax(name) + textBytesMax(value)
    for (const { path, content } of files) bytes += FILE_FRAME_BYTES_MAX + textBytesMax(path) + content.byteLength
    largest = Math.max(largest, bytes)
  }
  return largest
}

/** Of a string, bytes string, list or map below 4 GiB. */
const CBOR_HEAD_BYTES_MAX = 5
/** The map of an input with its four keys and their heads: 43 bytes. */
const INPUT_FRAME_BYTES_MAX = 64
/** The map of a file with its two keys and their heads: 26 bytes. */
const FILE_FRAME_BYTES_MAX = 32

/** A UTF-16 unit takes at most three bytes of UTF-8. */
function textBytesMax(text: string): number {
  return CBOR_HEAD_BYTES_MAX + 3 * text.length
}
