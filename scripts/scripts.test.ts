import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { precompress } from './lib/build.mjs'
import { disagreement, namesAllPlatforms } from './lib/install.mjs'
import { isModern } from './lib/modern-node.mjs'
import { countOf, failuresOf, totalLine } from './lib/test-count.mjs'

describe('disagreement', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0' },
      'node_modules/a/node_modules/b': { version: '2.0.0' },
      'node_modules/c': { version: '3.0.0', optional: true },
    },
  }
  it('is null when everything but the optional is installed in the locked version', () => {
    const { 'node_modules/c': _, ...packages } = lock.packages
    expect(disagreement(lock, { packages })).toBeNull()
    expect(disagreement(lock, lock)).toBeNull()
  })
  it('names the package that differs or is missing', () => {
    const other = { packages: { ...lock.packages, 'node_modules/a/node_modules/b': { version: '2.0.1' } } }
    expect(disagreement(lock, other)).toBe('b is 2.0.1, the lock file says 2.0.0')
    expect(disagreement(lock, { packages: { 'node_modules/a': { version: '1.0.0' } } })).toContain('b is missing')
    const wrongOptional = { packages: { ...lock.packages, 'node_modules/c': { version: '2.9.9' } } }
    expect(disagreement(lock, wrongOptional)).toContain('c is 2.9.9')
  })
  it('names an installation that never happened', () => {
    expect(disagreement(lock, null)).toBe('nothing is installed yet')
  })
})

describe('namesAllPlatforms', () => {
  const tool = { version: '1.0.0', optionalDependencies: { '@tool/linux': '1.0.0', '@tool/darwin': '1.0.0' } }
  it('is false when an optional package of a package has no entry', () => {
    expect(namesAllPlatforms({ packages: { 'node_modules/tool': tool, 'node_modules/@tool/linux': {} } })).toBe(false)
  })
  it('finds entries beside, below and above, as Node resolves them', () => {
    const below = { 'node_modules/x/node_modules/tool/node_modules/@tool/linux': {} }
    const above = { 'node_modules/@tool/darwin': {} }
    expect(namesAllPlatforms({ packages: { 'node_modules/x/node_modules/tool': tool, ...below, ...above } })).toBe(true)
    expect(namesAllPlatforms({ packages: { 'node_modules/x/node_modules/tool': tool, ...below } })).toBe(false)
  })
})

describe('isModern', () => {
  it('is the first version of each line that runs TypeScript as it is', () => {
    for (const version of ['v22.18.0', 'v23.6.0', 'v24.0.0', 'v26.1.0']) expect(isModern(version), version).toBe(true)
    for (const version of ['v18.20.0', 'v20.20.2', 'v22.17.1', 'v23.5.0'])
      expect(isModern(version), version).toBe(false)
  })
})

describe('countOf', () => {
  const clean = { numPassedTests: 3, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0, testResults: [] }
  it('counts a file that did not load as one failure', () => {
    const broken = { ...clean, testResults: [{ status: 'failed', assertionResults: [] }] }
    expect(countOf(broken, false)).toEqual({ passed: 3, failed: 1, skipped: 1 })
  })
  it('counts a failing test once', () => {
    const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }]
    expect(countOf({ ...clean, numFailedTests: 1, testResults }, false).failed).toBe(1)
  })
  it('counts a run without a report, and one that ended badly with green tests, as failed', () => {
    expect(countOf(null, true).failed).toBe(1)
    expect(countOf(clean, false).failed).toBe(1)
    expect(countOf(clean, true).failed).toBe(0)
  })
  it('makes one line of it', () => {
    expect(totalLine({ passed: 5, failed: 0, skipped: 0 })).toBe('5 passed, 0 failed')
    expect(totalLine({ passed: 5, failed: 1, skipped: 2 })).toBe('5 passed, 1 failed, 2 skipped')
  })
})

describe('precompress', () => {
  it('writes both encodings of what shrinks, and nothing beside what does not', async () => {
    const dist = mkdtempSync(join(tmpdir(), 'starling-precompress-'))
    try {
      const text = 'const answer = 42\n'.repeat(500)
      writeFileSync(join(dist, 'app.js'), text)
      writeFileSync(join(dist, 'small.js'), 'x')
      writeFileSync(join(dist, 'icon.png'), Buffer.alloc(5000))
      expect(await precompress(dist)).toBe(1)
      expect(brotliDecompressSync(readFileSync(join(dist, 'app.js.br'))).toString()).toBe(text)
      expect(gunzipSync(readFileSync(join(dist, 'app.js.gz'))).toString()).toBe(text)
      expect(() => readFileSync(join(dist, 'small.js.br'))).toThrow()
      expect(() => readFileSync(join(dist, 'icon.png.gz'))).toThrow()
    } finally {
      rmSync(dist, { recursive: true, force: true })
    }
  })
})

describe('failuresOf', () => {
  it('names each failed test with the first line of its error, and a file that did not load', () => {
    const testResults = [
      { name: '/a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] },
      {
        name: '/b.test.ts',
        status: 'failed',
        assertionResults: [
          { status: 'passed', fullName: 'b holds' },
          { status: 'failed', fullName: 'b breaks', failureMessages: ['expected 1 to be 2\n at b.test.ts:3'] },
        ],
      },
      { name: '/c.test.ts', status: 'failed', message: 'Cannot find x\nmore', assertionResults: [] },
    ]
    expect(failuresOf({ testResults })).toEqual([
      '/b.test.ts: b breaks: expected 1 to be 2',
      '/c.test.ts: Cannot find x',
    ])
    expect(failuresOf(null)).toEqual([])
  })
})
