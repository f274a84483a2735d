import * as v from 'valibot'
import { conform, encode } from '../codec/cbor.ts'
import { InvalidMessageError } from '../codec/errors.ts'
import { type Fault, faultError, refuseFaults } from '../codec/faults.ts'
import { bigInteger, bytes, cid, integer, list, peerId, text } from '../codec/fields.ts'
import { sha256Hex } from '../codec/hash.ts'
import type { JobId } from '../codec/ids.ts'
import { NONCE_BYTES } from '../identity/limits.ts'
import type { Verifier } from '../identity/ports.ts'
import {
  type DecodedStatement,
  decodeStatement,
  type SigningOptions,
  signBody,
  verifyStatement,
} from '../identity/statement.ts'
import * as limits from './limits.ts'
import type { Manifest } from './manifest.ts'
import { argument, isUnitPath, variable } from './unit-data.ts'

const ppm = integer(0, limits.PPM)
const instant = integer(0, Number.MAX_SAFE_INTEGER)
const unitBytes = integer(0, limits.UNIT_BYTES_MAX)
const price = bigInteger(0n, limits.PRICE_MICRO_UNITS_MAX)

export const resourcesSchema = v.strictObject({
  memoryBytesMax: integer(0, limits.MEMORY_BYTES_MAX),
  cores: integer(1, limits.CORES_MAX),
  wallMsMax: integer(1, limits.WALL_MS_MAX),
  stackBytesMax: integer(1, limits.STACK_BYTES_MAX),
  gasMax: bigInteger(1n, limits.GAS_MAX),
  outputBytesMax: unitBytes,
})

export const paymentSchema = v.strictObject({
  microUnitsPerSecond: price,
  microUnitsPerMebibyte: price,
  microUnitsTotalMax: bigInteger(0n),
})

export const serviceLevelSchema = v.strictObject({ uptimePpmMin: ppm, failurePpmMax: ppm, reputationPpmMin: ppm })

export const abiSchema = v.picklist(['wasi-command', 'reactor'])

/** RFC 6838: type and subtype of restricted names, then parameters of any printable text. */
const MEDIA_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*(;[ -~]*)?$/

const dataSchema = v.strictObject({
  mediaType: v.pipe(text(3, limits.MEDIA_TYPE_CHARS_MAX), v.regex(MEDIA_TYPE)),
  bytesMin: unitBytes,
  bytesMax: unitBytes,
  description: text(0, limits.DESCRIPTION_CHARS_MAX),
})

const sharedFile = v.strictObject({ path: text(1, limits.PATH_CHARS_MAX), cid, bytes: unitBytes })

const manifestSchema: v.GenericSchema<unknown, Manifest> = v.strictObject({
  version: v.literal(1),
  requester: peerId,
  nonce: bytes(NONCE_BYTES, NONCE_BYTES),
  name: text(1, limits.NAME_CHARS_MAX),
  module: cid,
  abi: abiSchema,
  args: list(argument, 0, limits.ARGS_MAX),
  env: list(variable, 0, limits.ENV_MAX),
  files: list(sharedFile, 0, limits.SHARED_FILES_MAX),
  resources: resourcesSchema,
  payment: paymentSchema,
  serviceLevel: serviceLevelSchema,
  verification: v.strictObject({
    replicas: integer(1, limits.REPLICAS_MAX),
    quorum: integer(1, limits.REPLICAS_MAX),
    auditPpm: ppm,
    speculation: v.boolean(),
  }),
  input: dataSchema,
  output: dataSchema,
  priority: integer(0, limits.PRIORITY_MAX),
  validFromMs: instant,
  validUntilMs: instant,
})

/** What the shape alone cannot say: fields that bound each other. */
function* faultsOf(manifest: Manifest): Generator<Fault> {
  const { verification, input, output, resources } = manifest
  if (verification.quorum > verification.replicas) {
    yield { field: 'verification.quorum', value: verification.quorum, limit: `${verification.replicas} replicas` }
  }
  if (input.bytesMin > input.bytesMax) yield { field: 'input.bytesMin', value: input.bytesMin, limit: input.bytesMax }
  if (output.bytesMin > output.bytesMax)
    yield { field: 'output.bytesMin', value: output.bytesMin, limit: output.bytesMax }
  if (output.bytesMax > resources.outputBytesMax) {
    yield { field: 'output.bytesMax', value: output.bytesMax, limit: resources.outputBytesMax }
  }
  const validity = manifest.validUntilMs - manifest.validFromMs
  if (validity <= 0)
    yield { field: 'validUntilMs', value: manifest.validUntilMs, limit: `above ${manifest.validFromMs}` }
  if (validity > limits.VALIDITY_MS_MAX) {
    yield { field: 'validUntilMs', value: manifest.validUntilMs, limit: manifest.validFromMs + limits.VALIDITY_MS_MAX }
  }
  yield* argumentFaults(manifest)
  yield* fileFaults(manifest)
}

function* argumentFaults(manifest: Manifest): Generator<Fault> {
  const chars = [...manifest.args, ...manifest.env.flat()].reduce((sum, part) => sum + part.length, 0)
  if (chars > limits.ARGS_CHARS_TOTAL_MAX) {
    yield { field: 'args', value: chars, limit: `${limits.ARGS_CHARS_TOTAL_MAX} characters with env` }
  }
  for (const [i, argument] of manifest.args.entries()) {
    if (argument.includes('\0')) yield { field: `args.${i}`, value: argument, limit: 'no NUL' }
  }
  for (const [i, [name, value]] of manifest.env.entries()) {
    if (/[=\0]/.test(name)) yield { field: `env.${i}.0`, value: name, limit: 'no "=" and no NUL' }
    if (value.includes('\0')) yield { field: `env.${i}.1`, value, limit: 'no NUL' }
  }
  if (manifest.name.includes('\0')) yield { field: 'name', value: manifest.name, limit: 'no NUL' }
  if (manifest.abi === 'reactor' && manifest.args.length + manifest.env.length + manifest.files.length > 0) {
    yield { field: 'abi', value: manifest.abi, limit: 'no args, env or files' }
  }
}

function* fileFaults(manifest: Manifest): Generator<Fault> {
  const seen = new Set<string>()
  let total = 0
  for (const [i, file] of manifest.files.entries()) {
    if (!isUnitPath(file.path)) yield { field: `files.${i}.path`, value: file.path, limit: 'relative, plain segments' }
    if (seen.has(file.path)) yield { field: `files.${i}.path`, value: file.path, limit: 'once' }
    seen.add(file.path)
    total += file.bytes
  }
  if (total > limits.UNIT_BYTES_MAX) yield { field: 'files', value: total, limit: `${limits.UNIT_BYTES_MAX} bytes` }
}

/**
 * Checks every field of a manifest, from wherever it comes. Rule [M1].
 *
 * @throws {@link InvalidMessageError} Naming the first wrong field, its value and its limit.
 */
export function validateManifest(value: unknown): Manifest {
  const manifest = conform(value, { what: 'manifest', schema: manifestSchema })
  refuseFaults('manifest', faultsOf(manifest))
  return manifest
}

/** SHA-256 of the manifest's canonical encoding: the job's id. Rule [M2]. */
export function manifestHash(manifest: Manifest): JobId {
  // A job's id is its manifest's hash by definition.
  return sha256Hex(encode(manifest)) as JobId
}

const KIND = 'manifest'

/** The signed form in which a manifest is stored and fetched. */
export async function signManifest(manifest: Manifest, options: SigningOptions): Promise<DecodedStatement<Manifest>> {
  return signBody(KIND, validateManifest(manifest), options)
}

/**
 * Reads and verifies a signed manifest. Rule [M3].
 *
 * @throws A named error when it is malformed, invalid, for another network, or not signed by the requester it names.
 */
export async function verifyManifest(
  bytes: Uint8Array,
  options: { readonly verifier: Verifier; readonly network: string },
): Promise<{ readonly manifest: Manifest; readonly job: JobId }> {
  const decoded = decodeStatement(bytes, { kind: KIND, body: manifestSchema })
  const { author, network, body } = decoded.statement
  const manifest = validateManifest(body)
  if (author !== manifest.requester) {
    throw faultError('manifest', { field: 'requester', value: manifest.requester, limit: `its author ${author}` })
  }
  if (network !== options.network) {
    throw new InvalidMessageError(`manifest.network is "${network}", limit "${options.network}"`, {
      field: 'manifest.network',
      value: network,
      limit: options.network,
    })
  }
  await verifyStatement(decoded, options.verifier)
  return { manifest, job: manifestHash(manifest) }
}
