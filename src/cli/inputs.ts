import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { UnitFile, UnitInput } from '../core/tasks/unit.ts'
import { UsageError } from './errors.ts'
import { INPUT_BYTES_MAX, LINE_BYTES_MAX, RANGE_UNITS_MAX } from './limits.ts'

/** Where a plain value goes: to standard input with a line's end, to the first argument, or to a file that the first argument names. */
export const INPUT_AS = ['stdin', 'args', 'file'] as const
export type InputAs = (typeof INPUT_AS)[number]

export interface InputOptions {
  /** A range `1..1000`, a folder, a JSONL file, or `-` for JSONL from standard input. */
  readonly source: string
  readonly as: InputAs
  /** Every line is text, not JSON. */
  readonly lines: boolean
}

const encoder = new TextEncoder()
const EMPTY: UnitInput = { args: [], env: [], stdin: new Uint8Array(), files: [] }
const RANGE = /^(-?\d+)\.\.(-?\d+)$/

/**
 * Reads a job's inputs.
 *
 * @throws {@link UsageError} Naming the file, line, field and value that is wrong.
 */
export async function readInputs(options: InputOptions): Promise<UnitInput[]> {
  const { source, as } = options
  const range = RANGE.exec(source)
  if (range !== null) return rangeInputs(BigInt(range[1] ?? 0), BigInt(range[2] ?? 0), as)
  if (source === '-') return await lineInputs(process.stdin, 'stdin', options)
  if (!existsSync(source)) {
    throw new UsageError(`--inputs is ${source}: no such file or folder, and no range such as 1..1000`, {
      field: '--inputs',
      value: source,
    })
  }
  if (statSync(source).isDirectory()) return folderInputs(source, as)
  return await lineInputs(createReadStream(source), basename(source), options)
}

function rangeInputs(from: bigint, to: bigint, as: InputAs): UnitInput[] {
  const count = to - from + 1n
  if (count < 1n || count > BigInt(RANGE_UNITS_MAX)) {
    throw new UsageError(
      `--inputs is ${from}..${to}: ${count < 1n ? 'it ends before it begins' : `${count} units, the limit is ${RANGE_UNITS_MAX}`}`,
      {
        field: '--inputs',
        value: `${from}..${to}`,
        limit: RANGE_UNITS_MAX,
      },
    )
  }
  return Array.from({ length: Number(count) }, (_, i) => valueInput(String(from + BigInt(i)), as))
}

/** A plain value as one unit's input. */
function valueInput(value: string, as: InputAs): UnitInput {
  if (as === 'args') return { ...EMPTY, args: [value] }
  const content = encoder.encode(`${value}\n`)
  return as === 'stdin' ? { ...EMPTY, stdin: content } : fileInput('input', content)
}

function fileInput(path: string, content: Uint8Array): UnitInput {
  return { ...EMPTY, args: [`/in/${path}`], files: [{ path, content }] }
}

/** Each file of a folder is one unit, in the order of their names; hidden files are left out. */
function folderInputs(folder: string, as: InputAs): UnitInput[] {
  if (as === 'args') {
    throw new UsageError('--input-as args goes with values; the files of a folder are stdin or file', {
      field: '--input-as',
      value: as,
    })
  }
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  if (names.length === 0)
    throw new UsageError(`--inputs is ${folder}: the folder holds no file`, { field: '--inputs', value: folder })
  return names.map((name) => {
    const content = new Uint8Array(readFileSync(join(folder, name)))
    return as === 'stdin' ? { ...EMPTY, stdin: content } : fileInput(name, content)
  })
}

async function lineInputs(stream: AsyncIterable<Buffer>, name: string, options: InputOptions): Promise<UnitInput[]> {
  const inputs: UnitInput[] = []
  let number = 0
  for await (const line of linesOf(stream, name)) {
    number++
    if (options.lines) inputs.push(valueInput(line, options.as))
    // A blank line between or after values is nobody's input.
    else if (line.trim() !== '') inputs.push(jsonInput(line, `${name} line ${number}`, options.as))
  }
  if (inputs.length === 0) throw new UsageError(`--inputs: ${name} holds no input`, { field: '--inputs', value: name })
  return inputs
}

async function* linesOf(stream: AsyncIterable<Buffer>, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest: Buffer[] = []
  let restBytes = 0
  let total = 0
  let number = 0
  const take = (): string => {
    number++
    try {
      const line = decoder.decode(Buffer.concat(rest)).replace(/\r$/, '')
      rest = []
      restBytes = 0
      return line
    } catch {
      throw new UsageError(`${name} line ${number} is not UTF-8`, { field: `${name} line ${number}` })
    }
  }
  for await (const chunk of stream) {
    total += chunk.length
    if (total > INPUT_BYTES_MAX)
      throw new UsageError(`${name} is larger than the limit of ${INPUT_BYTES_MAX} bytes`, { field: name })
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      rest.push(chunk.subarray(from, end))
      from = end + 1
      yield take()
    }
    rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > LINE_BYTES_MAX) {
      throw new UsageError(`${name} line ${number + 1} is longer than the limit of ${LINE_BYTES_MAX} bytes`, {
        field: name,
      })
    }
  }
  if (restBytes > 0) yield take()
}

/** One line of JSONL: a string or number is a plain value; an object says where each part goes. */
function jsonInput(line: string, where: string, as: InputAs): UnitInput {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new UsageError(`${where} is no JSON: ${(error as Error).message} (plain text needs --lines)`, {
      field: where,
      value: shown(line),
    })
  }
  if (typeof value === 'string') return valueInput(value, as)
  // The number as it is written: 64-bit integers would lose digits.
  if (typeof value === 'number') return valueInput(line.trim(), as)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(where, value, 'a string, a number or an object with args, env, stdin, files')
  }
  return objectInput(value as Record<string, unknown>, where)
}

function objectInput(value: Record<string, unknown>, where: string): UnitInput {
  const unknown = Object.keys(value).find((key) => !['args', 'env', 'stdin', 'files'].includes(key))
  if (unknown !== undefined)
    throw refuse(`${where}, field ${unknown}`, value[unknown], 'one of the fields args, env, stdin, files')
  return {
    args: value.args === undefined ? [] : argsOf(value.args, `${where}, field args`),
    env: Object.entries(recordOf(value.env, `${where}, field env`)).map(([name, text]) => {
      if (typeof text !== 'string') throw refuse(`${where}, field env.${name}`, text, 'a string')
      return [name, text] as const
    }),
    stdin: value.stdin === undefined ? new Uint8Array() : contentOf(value.stdin, `${where}, field stdin`),
    files: Object.entries(recordOf(value.files, `${where}, field files`)).map(
      ([path, content]): UnitFile => ({ path, content: contentOf(content, `${where}, field files.${path}`) }),
    ),
  }
}

function argsOf(value: unknown, where: string): string[] {
  if (!Array.isArray(value)) throw refuse(where, value, 'an array of strings or numbers')
  return value.map((arg: unknown, i) => {
    if (typeof arg !== 'string' && typeof arg !== 'number') throw refuse(`${where}.${i}`, arg, 'a string or a number')
    return String(arg)
  })
}

function recordOf(value: unknown, where: string): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(where, value, 'an object')
  return value as Record<string, unknown>
}

/** Text, or bytes as `{"base64": "…"}`. */
function contentOf(value: unknown, where: string): Uint8Array {
  if (typeof value === 'string') return encoder.encode(value)
  const base64 = typeof value === 'object' && value !== null ? (value as { base64?: unknown }).base64 : undefined
  if (typeof base64 !== 'string' || Object.keys(value as object).length !== 1)
    throw refuse(where, value, 'text or {"base64": "…"}')
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64))
    throw refuse(`${where}.base64`, base64, 'base64')
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

function refuse(where: string, value: unknown, wanted: string): UsageError {
  return new UsageError(`${where} is ${shown(value)}, wanted ${wanted}`, { field: where, value: shown(value) })
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
