import { describe, expect, it } from 'vitest'
import { argumentInputs, fileInputs, jsonLineInputs, rangeInputs } from './inputs.ts'

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

describe('rangeInputs', () => {
  it('makes one unit for each number, both ends included', () => {
    const inputs = rangeInputs('9007199254740993', '9007199254740995', 'args')
    expect(inputs.map((input) => input.args)).toEqual([
      ['9007199254740993'],
      ['9007199254740994'],
      ['9007199254740995'],
    ])
  })
  it('hands the number over as standard input', () => {
    expect(text(rangeInputs('-1', '-1', 'stdin')[0]?.stdin ?? new Uint8Array())).toBe('-1\n')
  })
  it.each([
    ['1.5', '3', 'From is 1.5; it must be a whole number'],
    ['3', '1', 'To is 1; it must be at least From, 3'],
    ['1', '100001', 'That makes 100001 units; this form takes at most 100000'],
  ])('refuses %s to %s', (from, to, message) => {
    expect(() => rangeInputs(from, to, 'args')).toThrow(message)
  })
})

describe('argumentInputs', () => {
  it('splits as a shell does, quotes and backslashes included', () => {
    const [input] = argumentInputs(`a "b c" d\\ e 'f "g"' ""`)
    expect(input?.args).toEqual(['a', 'b c', 'd e', 'f "g"', ''])
  })
  it('skips empty lines and names the line of an open quote', () => {
    expect(argumentInputs('a\n\nb\n')).toHaveLength(2)
    expect(() => argumentInputs('a\n\n"b')).toThrow('Line 3 opens a quote " and never closes it')
  })
})

describe('jsonLineInputs', () => {
  it('takes strings, numbers and objects', () => {
    const inputs = jsonLineInputs('"x"\n7\n{"args":["a",1],"env":{"K":"v"},"stdin":"s","files":{"d/f":"c"}}', 'args')
    expect(inputs[0]?.args).toEqual(['x'])
    expect(inputs[1]?.args).toEqual(['7'])
    expect(inputs[2]?.args).toEqual(['a', '1'])
    expect(inputs[2]?.env).toEqual([['K', 'v']])
    expect(inputs[2]?.files[0]?.path).toBe('d/f')
  })
  it.each([
    ['"a"\nnope', 'Line 2 is not JSON: nope'],
    ['[1]', 'Line 1 is an array; it must be a string, a number or an object'],
    ['{"arg":[]}', 'Line 1 has a field “arg”; known are args, env, stdin, files'],
    ['{"args":"a"}', 'Line 1: args must be an array'],
    ['{"env":{"K":null}}', 'Line 1: env.K must be a text or a number'],
    ['', 'There is no input yet: one unit at least'],
  ])('refuses %s', (lines, message) => {
    expect(() => jsonLineInputs(lines, 'stdin')).toThrow(message)
  })
})

describe('fileInputs', () => {
  it('gives each file to one unit under its own path', () => {
    const [input] = fileInputs([{ path: 'a.txt', content: new Uint8Array([1]) }], 'file')
    expect(input?.args).toEqual(['/in/a.txt'])
    expect(input?.files).toHaveLength(1)
  })
})
