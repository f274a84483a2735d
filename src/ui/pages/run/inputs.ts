import type { UnitFile, UnitInput } from '../../../core/tasks/unit.ts'
import { FORM_UNITS_MAX } from '../../limits.ts'

/** How a plain value reaches the program. */
export type InputAs = 'args' | 'stdin' | 'file'

/** Inputs that cannot be made into units: which line, which field, what is wrong with it. */
export class InputsError extends Error {
  override readonly name = 'InputsError'
}

const encoder = new TextEncoder()
const NOTHING = new Uint8Array(0)

/** One unit for each whole number from `from` to `to`, both included. */
export function rangeInputs(from: string, to: string, as: InputAs): UnitInput[] {
  const first = wholeNumber('From', from)
  const last = wholeNumber('To', to)
  if (last < first) throw new InputsError(`To is ${last}; it must be at least From, ${first}`)
  checkCount(last - first + 1n)
  return Array.from({ length: Number(last - first + 1n) }, (_, i) =>
    valueInput(String(first + BigInt(i)), as, `${i}.txt`),
  )
}

/** One unit for each line: arguments as in a shell, with quotes but without anything else of a shell. */
export function argumentInputs(text: string): UnitInput[] {
  const lines = linesOf(text)
  checkCount(BigInt(lines.length))
  return lines.map(({ line, number }) => ({ ...emptyInput(), args: splitArguments(line, number) }))
}

/** One unit for each file. */
export function fileInputs(files: readonly UnitFile[], as: InputAs): UnitInput[] {
  checkCount(BigInt(files.length))
  return files.map((file) => {
    if (as === 'stdin') return { ...emptyInput(), stdin: file.content }
    return { ...emptyInput(), args: [`/in/${file.path}`], files: [file] }
  })
}

/**
 * One unit for each line of JSON: a string or number is the value itself, an object may have `args`, `env`, `stdin` and `files`.
 */
export function jsonLineInputs(text: string, as: InputAs): UnitInput[] {
  const lines = linesOf(text)
  checkCount(BigInt(lines.length))
  return lines.map(({ line, number }, i) => {
    const value = parseLine(line, number)
    if (typeof value === 'string' || typeof value === 'number') return valueInput(String(value), as, `${i}.txt`)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return objectInput(value as Record<string, unknown>, number)
    }
    throw new InputsError(
      `Line ${number} is ${Array.isArray(value) ? 'an array' : String(value)}; it must be a string, a number or an object`,
    )
  })
}

function emptyInput(): UnitInput {
  return { args: [], env: [], stdin: NOTHING, files: [] }
}

function valueInput(value: string, as: InputAs, fileName: string): UnitInput {
  if (as === 'args') return { ...emptyInput(), args: [value] }
  const content = encoder.encode(`${value}\n`)
  if (as === 'stdin') return { ...emptyInput(), stdin: content }
  return { ...emptyInput(), args: [`/in/${fileName}`], files: [{ path: fileName, content }] }
}

const FIELDS = ['args', 'env', 'stdin', 'files']

function objectInput(value: Record<string, unknown>, line: number): UnitInput {
  const unknown = Object.keys(value).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined)
    throw new InputsError(`Line ${line} has a field “${unknown}”; known are ${FIELDS.join(', ')}`)
  const { args = [], env = {}, stdin = '', files = {} } = value
  if (!Array.isArray(args)) throw new InputsError(`Line ${line}: args must be an array`)
  if (typeof stdin !== 'string') throw new InputsError(`Line ${line}: stdin must be a string`)
  return {
    args: args.map((arg) => textOf(arg, `Line ${line}: each of args`)),
    env: entriesOf(env, `Line ${line}: env`),
    stdin: encoder.encode(stdin),
    files: entriesOf(files, `Line ${line}: files`).map(([path, content]) => ({
      path,
      content: encoder.encode(content),
    })),
  }
}

function entriesOf(value: unknown, what: string): [string, string][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputsError(`${what} must be an object of texts`)
  }
  return Object.entries(value).map(([name, text]) => [name, textOf(text, `${what}.${name}`)])
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new InputsError(`${what} must be a text or a number`)
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    const shown = line.length > 40 ? `${line.slice(0, 40)}…` : line
    throw new InputsError(`Line ${number} is not JSON: ${shown}`)
  }
}

function linesOf(text: string): { readonly line: string; readonly number: number }[] {
  return text
    .split('\n')
    .map((line, i) => ({ line: line.trim(), number: i + 1 }))
    .filter(({ line }) => line !== '')
}

function wholeNumber(field: string, text: string): bigint {
  if (!/^-?\d{1,36}$/.test(text.trim()))
    throw new InputsError(`${field} is ${text || 'empty'}; it must be a whole number`)
  return BigInt(text.trim())
}

function checkCount(units: bigint): void {
  if (units < 1n) throw new InputsError('There is no input yet: one unit at least')
  if (units > BigInt(FORM_UNITS_MAX)) {
    throw new InputsError(`That makes ${units} units; this form takes at most ${FORM_UNITS_MAX}`)
  }
}

/** Splits at spaces outside of quotes; a backslash takes the next character as it is. */
function splitArguments(line: string, number: number): string[] {
  const args: string[] = []
  let current: string | null = null
  let quote: string | null = null
  for (let i = 0; i < line.length; i++) {
    const character = line[i] ?? ''
    if (character === '\\' && quote !== "'" && i + 1 < line.length) current = (current ?? '') + (line[++i] ?? '')
    else if (quote !== null) {
      if (character === quote) quote = null
      else current = (current ?? '') + character
    } else if (character === '"' || character === "'") {
      quote = character
      current = current ?? ''
    } else if (character === ' ' || character === '\t') {
      if (current !== null) args.push(current)
      current = null
    } else current = (current ?? '') + character
  }
  if (quote !== null) throw new InputsError(`Line ${number} opens a quote ${quote} and never closes it`)
  if (current !== null) args.push(current)
  return args
}
