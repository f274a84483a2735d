import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runSuite } from './suite.ts'

const PROGRAMS = join(import.meta.dirname, 'programs')
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wasi-suite-'))
  const add = (name: string, program: string, spec?: unknown) => {
    cpSync(join(PROGRAMS, `${program}.wasm`), join(folder, `${name}.wasm`))
    if (spec !== undefined) writeFileSync(join(folder, `${name}.json`), JSON.stringify(spec))
  }
  mkdirSync(join(folder, 'tree', 'in', 'data'), { recursive: true })
  writeFileSync(join(folder, 'tree', 'in', 'data', 'numbers.txt'), '10 20 30')
  add('a-code', 'raise', { exit_code: 134 })
  add('b-default', 'raise')
  add('c-output', 'flood', { stdout: 'x' })
  add('d-preopens', 'libc', { args: ['one two'], env: { LANG: 'C' }, root: 'tree' })
})

afterAll(() => rmSync(folder, { recursive: true }))

test('runSuite holds each program to its specification', () => {
  const results = runSuite(folder)
  expect(results.map(({ name }) => name)).toEqual(['a-code', 'b-default', 'c-output', 'd-preopens'])
  const [code, byDefault, output, preopens] = results
  expect(code?.failures).toEqual([])
  expect(byDefault?.failures).toEqual(['exit code: expected 0, found 134: '])
  expect(output?.failures[0]).toMatch(/^exit code: expected 0, found OutputLimit: /)
  expect(output?.failures[1]).toMatch(/^stdout: expected "x", found /)
  // It reads its input from the folder, and fails where it expects a file system that is read-only.
  expect(preopens?.failures[0]).toContain('errno == EROFS')
})
