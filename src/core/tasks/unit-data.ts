import * as v from 'valibot'
import { compareBytes, concatBytes, fromHex, utf8 } from '../codec/bytes.ts'
import { decode, encode } from '../codec/cbor.ts'
import { InvalidMessageError, LimitExceededError } from '../codec/errors.ts'
import { bytes, integer, list, text } from '../codec/fields.ts'
import { sha256Bytes, sha256Hex } from '../codec/hash.ts'
import type { Hash, JobId } from '../codec/ids.ts'
import { UNIT_DATA_LIMITS } from '../codec/limits.ts'
import { ARG_CHARS_MAX, ARGS_MAX, ENV_MAX, FILES_MAX, PATH_CHARS_MAX, UNIT_BYTES_MAX } from './limits.ts'
import type { UnitFile, UnitInput, UnitOutcome } from './unit.ts'

/** The canonical bytes of inputs and outcomes, and the hashes that receipts state. Rules [U1] to [U4]. */

const content = bytes(0, UNIT_BYTES_MAX)
const file = v.strictObject({ path: text(1, PATH_CHARS_MAX), content })
export const argument = text(0, ARG_CHARS_MAX)
export const variable = v.strictTuple([text(1, ARG_CHARS_MAX), argument])
export const trap = v.nullable(v.picklist(['gas', 'stack', 'wasm', 'output', 'abi']))

const inputSchema: v.GenericSchema<unknown, UnitInput> = v.strictObject({
  args: list(argument, 0, ARGS_MAX),
  env: list(variable, 0, ENV_MAX),
  stdin: content,
  files: list(file, 0, FILES_MAX),
})

const outcomeSchema: v.GenericSchema<unknown, UnitOutcome> = v.strictObject({
  exitCode: integer(-1, 2 ** 32 - 1),
  trap,
  stdout: content,
  stderr: content,
  files: list(file, 0, FILES_MAX),
})

/** A relative path of non-empty segments, none of them `.` or `..`, without NUL. */
export function isUnitPath(path: string): boolean {
  return (
    !path.includes('\0') && path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  )
}

function checkFiles(what: string, files: readonly UnitFile[]): void {
  const paths = files.map((each) => utf8(each.path))
  files.forEach((each, i) => {
    const refuse = (why: string) =>
      new InvalidMessageError(`${what}.files.${i}.path ${why}`, { field: `${what}.files.${i}.path`, value: each.path })
    if (!isUnitPath(each.path)) throw refuse('is not a relative path of plain segments')
    // Both indices exist: `i` comes from forEach and is above 0 here.
    if (i > 0 && compareBytes(paths[i - 1] as Uint8Array, paths[i] as Uint8Array) >= 0)
      throw refuse('is out of order or twice')
  })
}

function checkTotal(what: string, parts: readonly Uint8Array[]): void {
  const total = parts.reduce((sum, part) => sum + part.length, 0)
  if (total <= UNIT_BYTES_MAX) return
  throw new LimitExceededError(`${what} has ${total} bytes of content, limit ${UNIT_BYTES_MAX}`, {
    field: what,
    value: total,
    limit: UNIT_BYTES_MAX,
  })
}

function sorted(files: readonly UnitFile[]): UnitFile[] {
  const keyed = files.map(({ path, content }) => ({ key: utf8(path), file: { path, content } }))
  return keyed.sort((a, b) => compareBytes(a.key, b.key)).map((each) => each.file)
}

/** The one encoding of an input. Files may be given in any order. */
export function encodeInput(input: UnitInput): Uint8Array {
  const { args, env, stdin } = input
  return encode({ args, env, stdin, files: sorted(input.files) })
}

/** @throws A named error when it is not the encoding of an input. */
export function decodeInput(encoded: Uint8Array): UnitInput {
  const input = decode(encoded, { what: 'input', limits: UNIT_DATA_LIMITS, schema: inputSchema })
  checkFiles('input', input.files)
  checkTotal('input', [input.stdin, ...input.files.map((each) => each.content)])
  return input
}

/** The one encoding of an outcome, which the output hash of a receipt covers. */
export function encodeOutcome(outcome: UnitOutcome): Uint8Array {
  const { exitCode, trap, stdout, stderr } = outcome
  return encode({ exitCode, trap, stdout, stderr, files: sorted(outcome.files) })
}

/** @throws A named error when it is not the encoding of an outcome. */
export function decodeOutcome(encoded: Uint8Array): UnitOutcome {
  const outcome = decode(encoded, { what: 'outcome', limits: UNIT_DATA_LIMITS, schema: outcomeSchema })
  checkFiles('outcome', outcome.files)
  checkTotal('outcome', [outcome.stdout, outcome.stderr, ...outcome.files.map((each) => each.content)])
  return outcome
}

/** Hash of an encoded input. Hash with the platform's hasher instead when it is large. */
export function inputHash(encoded: Uint8Array): Hash {
  return sha256Hex(encoded)
}

/** Hash of an encoded outcome. Hash with the platform's hasher instead when it is large. */
export function outputHash(encoded: Uint8Array): Hash {
  return sha256Hex(encoded)
}

const SEED_DOMAIN = utf8('starling/unit-seed/1')

/** What clock and randomness of a unit derive from: SHA-256 of domain, manifest hash, and the unit as 8 bytes, big end first. */
export function unitSeed(job: JobId, unit: number): Uint8Array {
  const index = new Uint8Array(8)
  new DataView(index.buffer).setBigUint64(0, BigInt(unit))
  return sha256Bytes(concatBytes(SEED_DOMAIN, fromHex(job), index))
}
