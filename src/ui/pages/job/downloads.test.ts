import { describe, expect, it } from 'vitest'
import { fileName, plainResult } from './downloads.ts'

describe('plainResult', () => {
  it('writes text as text and other bytes as base64', () => {
    const outcome = {
      exitCode: 0,
      trap: null,
      stdout: new TextEncoder().encode('hello\n'),
      stderr: new Uint8Array([0, 255]),
      files: [{ path: 'a/b', content: new Uint8Array([1]) }],
    }
    expect(plainResult({ unit: 3, outcome, executor: 'p', agreeing: 2 })).toEqual({
      unit: 3,
      exitCode: 0,
      trap: null,
      stdout: 'hello\n',
      stderrBase64: 'AP8=',
      files: [{ path: 'a/b', base64: 'AQ==' }],
      executor: 'p',
      agreeing: 2,
    })
  })
})

describe('fileName', () => {
  it('makes a name any file system takes', () => {
    expect(fileName('Mandelbrot tiles: ../../x')).toBe('mandelbrot-tiles-x')
    expect(fileName('…')).toBe('job')
  })
})
