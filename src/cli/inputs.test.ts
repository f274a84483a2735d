import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InputOptions, readInputs } from './inputs.ts'
import { LINE_BYTES_MAX, RANGE_UNITS_MAX } from './limits.ts'

const dir = mkdtempSync(join(tmpdir(), 'starling-inputs-'))
const decoder = new TextDecoder()

afterAll(() => rmSync(dir, { recursive: true, force: true }))

function read(source: string, more: Partial<InputOptions> = {}) {
  return readInputs({ source, as: 'stdin', lines: false, ...more })
}

/** Reads a JSONL file of this content. */
function readLines(content: string | Uint8Array, more: Partial<InputOptions> = {}) {
  const path = join(dir, 'inputs.jsonl')
  writeFileSync(path, content)
  return read(path, more)
}

const stdins = (inputs: Awaited<ReturnType<typeof read>>): string[] => inputs.map(({ stdin }) => decoder.decode(stdin))

describe('a range', () => {
  it('is one unit for each whole number, both ends included, of any size', async () => {
    expect(stdins(await read('-1..2'))).toEqual(['-1\n', '0\n', '1\n', '2\n'])
    const big = await read('9007199254740993..9007199254740994', { as: 'args' })
    expect(big.map(({ args }) => args)).toEqual([['9007199254740993'], ['9007199254740994']])
  })
  it('is refused when it is empty or over the limit', async () => {
    await expect(read('5..4')).rejects.toThrow('--inputs is 5..4: it ends before it begins')
    await expect(read(`1..${RANGE_UNITS_MAX + 1}`)).rejects.toThrow(
      `${RANGE_UNITS_MAX + 1} units, the limit is ${RANGE_UNITS_MAX}`,
    )
    expect(await read(`1..${RANGE_UNITS_MAX}`)).toHaveLength(RANGE_UNITS_MAX)
  })
})

describe('lines of JSON', () => {
  it('are plain values, numbers as they are written', async () => {
    expect(stdins(await readLines('"a b"\n\n12345678901234567890\r\n1.50'))).toEqual([
      'a b\n',
      '12345678901234567890\n',
      '1.50\n',
    ])
  })
  it('go where --input-as says', async () => {
    expect(await readLines('"x"', { as: 'args' })).toEqual([
      { args: ['x'], env: [], stdin: new Uint8Array(), files: [] },
    ])
    const [unit] = await readLines('"x"', { as: 'file' })
    expect(unit?.args).toEqual(['/in/input'])
    expect(decoder.decode(unit?.files[0]?.content)).toBe('x\n')
  })
  it('say where each part of an object goes', async () => {
    const line = { args: ['-n', 3], env: { A: '1' }, stdin: 'in', files: { 'a/b': { base64: 'AAEC' }, c: 'text' } }
    const [unit] = await readLines(JSON.stringify(line))
    expect(unit?.args).toEqual(['-n', '3'])
    expect(unit?.env).toEqual([['A', '1']])
    expect(decoder.decode(unit?.stdin)).toBe('in')
    expect(unit?.files).toEqual([
      { path: 'a/b', content: new Uint8Array([0, 1, 2]) },
      { path: 'c', content: new TextEncoder().encode('text') },
    ])
  })
  it('are text with --lines, empty ones too', async () => {
    expect(stdins(await readLines('{"a\n\nb', { lines: true }))).toEqual(['{"a\n', '\n', 'b\n'])
  })
  it.each([
    ['{"args":"x"}', 'inputs.jsonl line 2, field args is "x", wanted an array of strings or numbers'],
    ['{"args":["a",null]}', 'inputs.jsonl line 2, field args.1 is null, wanted a string or a number'],
    ['{"env":{"A":1}}', 'inputs.jsonl line 2, field env.A is 1, wanted a string'],
    ['{"env":[]}', 'inputs.jsonl line 2, field env is [], wanted an object'],
    ['{"stdin":5}', 'inputs.jsonl line 2, field stdin is 5, wanted text or {"base64": "…"}'],
    ['{"stdin":{"base64":"A"}}', 'inputs.jsonl line 2, field stdin.base64 is "A", wanted base64'],
    [
      '{"stdin":{"base64":"AAEC","x":1}}',
      'inputs.jsonl line 2, field stdin is {"base64":"AAEC","x":1}, wanted text or',
    ],
    ['{"files":{"a":null}}', 'inputs.jsonl line 2, field files.a is null, wanted text or'],
    ['{"argv":[]}', 'inputs.jsonl line 2, field argv is [], wanted one of the fields args, env, stdin, files'],
    ['true', 'inputs.jsonl line 2 is true, wanted a string, a number or an object'],
    ['[1]', 'inputs.jsonl line 2 is [1], wanted a string, a number or an object'],
    ['hello', 'inputs.jsonl line 2 is no JSON'],
  ])('refuse %s, naming line, field and value', async (line, message) => {
    await expect(readLines(`"first"\n${line}\n`)).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(message),
    })
  })
  it('are refused when they are not UTF-8, too long, or none', async () => {
    await expect(readLines(new Uint8Array([34, 97, 34, 10, 34, 255, 34]))).rejects.toThrow(
      'inputs.jsonl line 2 is not UTF-8',
    )
    await expect(readLines('1'.repeat(LINE_BYTES_MAX + 1))).rejects.toThrow(
      `line 1 is longer than the limit of ${LINE_BYTES_MAX} bytes`,
    )
    await expect(readLines('\n\n')).rejects.toThrow('inputs.jsonl holds no input')
  })
})

describe('a folder', () => {
  const folder = join(dir, 'folder')
  beforeAll(() => {
    mkdirSync(join(folder, 'below'), { recursive: true })
    for (const name of ['10.txt', '9.txt', '.hidden']) writeFileSync(join(folder, name), name)
  })
  it('is one unit for each file, numbers in names in their order', async () => {
    expect(stdins(await read(folder))).toEqual(['9.txt', '10.txt'])
    const [first] = await read(folder, { as: 'file' })
    expect([first?.args, first?.files[0]?.path]).toEqual([['/in/9.txt'], '9.txt'])
  })
  it('has no values to pass as arguments, and must hold something', async () => {
    await expect(read(folder, { as: 'args' })).rejects.toThrow('--input-as args goes with values')
    await expect(read(join(folder, 'below'))).rejects.toThrow('the folder holds no file')
  })
})

it('names what is neither a file nor a range', async () => {
  await expect(read('1...5')).rejects.toThrow('--inputs is 1...5: no such file or folder, and no range such as 1..1000')
})
