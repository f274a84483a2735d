import { describe, expect, it } from 'vitest'
import { checkSchema, inferSchema, readTable, type Table, type TableSchema } from './dataset-table.ts'

const FLOWERS: Table = {
  header: ['length', 'colour', 'kind'],
  rows: [
    ['1.0', 'red', 'b'],
    ['3.0', 'blue', 'a'],
    ['5e0', 'red', 'b'],
  ],
}
const SCHEMA: TableSchema = {
  columns: [
    { kind: 'number', name: 'length', centre: 3, scale: Math.sqrt(8 / 3) },
    { kind: 'category', name: 'colour', values: ['blue', 'red'] },
  ],
  label: { name: 'kind', values: ['a', 'b'] },
}
const REFUSE = { incompleteRows: 'refuse' } as const
const infer = (table: Table, label: string, classes: readonly string[] | null = null) =>
  inferSchema(table, { label, classes })
const table = (rows: readonly (readonly string[])[], header = FLOWERS.header): Table => ({ header, rows })

function errorOf(run: () => unknown): { name: string; message: string } {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown')
}

describe('inferSchema', () => {
  it('tells numbers from categories and centres the numbers', () => {
    expect(infer(FLOWERS, 'kind')).toEqual(SCHEMA)
  })

  it('sorts labels that are numbers by value', () => {
    const rows = [10, 9, 2, 1].map((label) => ['0', 'red', String(label)])
    expect(infer(table(rows), 'kind').label.values).toEqual(['1', '2', '9', '10'])
  })

  it("takes the task's classes in their order", () => {
    expect(infer(FLOWERS, 'kind', ['b', 'a', 'c']).label.values).toEqual(['b', 'a', 'c'])
  })

  it('gives a constant column scale 1', () => {
    const rows = [
      ['7', 'red', 'a'],
      ['7', 'red', 'b'],
    ]
    expect(infer(table(rows), 'kind').columns[0]).toEqual({ kind: 'number', name: 'length', centre: 7, scale: 1 })
  })

  it.each([
    ['a label column that is missing', FLOWERS, 'species', /lacks the columns: species; it has: length, colour, kind/],
    ['one class', table([['1', 'red', 'a']]), 'kind', /kind has 1 class/],
    ['no complete row', table([['1', '', 'a']]), 'kind', /0 complete rows/],
    ['a column named twice', table([], ['a', 'a', 'kind']), 'kind', /Column 2 is called "a"/],
    ['a column without a name', table([], ['a', '', 'kind']), 'kind', /Column 2 is called ""/],
    ['only labels', table([['a'], ['b']], ['kind']), 'kind', /0 columns of features/],
  ] as const)('refuses %s', (_, bad, label, message) => {
    const error = errorOf(() => infer(bad, label))
    expect(error.name).toBe('InvalidDatasetError')
    expect(error.message).toMatch(message)
  })

  it('refuses a column of too many categories', () => {
    const rows = Array.from({ length: 257 }, (_, i) => ['1', `c${i}`, String(i % 2)])
    expect(errorOf(() => infer(table(rows), 'kind'))).toMatchObject({
      name: 'LimitExceededError',
      message: 'Table has colour 257, limit 256',
    })
  })
})

describe('readTable', () => {
  it('scales numbers, spreads categories and maps labels', () => {
    const { samples, dropped } = readTable(FLOWERS, SCHEMA, REFUSE)
    const z = Math.fround(2 / Math.sqrt(8 / 3))
    expect([...samples.values]).toEqual([-z, 0, 1, 0, 1, 0, z, 0, 1])
    expect([...samples.labels]).toEqual([1, 0, 1])
    expect(samples).toMatchObject({ features: 3, classes: 2, labelNames: ['a', 'b'], picture: null })
    expect(dropped).toBe(0)
  })

  it('ignores columns that the schema does not name, in any order', () => {
    const shuffled = table([['a', 'x', '3', 'red']], ['kind', 'extra', 'length', 'colour'])
    expect([...readTable(shuffled, SCHEMA, REFUSE).samples.values]).toEqual([0, 0, 1])
  })

  it('drops incomplete rows when asked to, and counts them', () => {
    const rows = [...FLOWERS.rows, ['?', 'red', 'a'], ['1', 'NA', 'a'], ['2', 'red', '']]
    const { samples, dropped } = readTable(table(rows), SCHEMA, { incompleteRows: 'drop' })
    expect(samples.labels.length).toBe(3)
    expect(dropped).toBe(3)
  })

  it('names every column that is missing', () => {
    expect(errorOf(() => readTable(table([], ['length']), SCHEMA, REFUSE))).toMatchObject({
      name: 'InvalidDatasetError',
      message: 'Table lacks the columns: colour, kind; it has: length',
    })
  })

  it.each([
    ['a short row', ['1', 'red'], /Row 1 has columns 2, limit 3 exactly/],
    ['a missing value', ['', 'red', 'a'], /Row 1 has length "", limit a value/],
    ['a word where a number belongs', ['tall', 'red', 'a'], /Row 1 has length "tall", limit a finite number/],
    ['hexadecimal', ['0x10', 'red', 'a'], /limit a finite number/],
    ['infinity', ['Infinity', 'red', 'a'], /limit a finite number/],
    ['a number over what 32 bits hold', ['1e300', 'red', 'a'], /limit a finite number/],
    ['an unknown category', ['1', 'green', 'a'], /Row 1 has colour "green", limit one of 2 categories/],
    ['an unknown class', ['1', 'red', 'c'], /Row 1 has kind "c", limit one of 2 classes/],
  ] as const)('refuses %s', (_, row, message) => {
    const error = errorOf(() => readTable(table([row]), SCHEMA, REFUSE))
    expect(error.name).toBe('InvalidDatasetError')
    expect(error.message).toMatch(message)
  })
})

describe('checkSchema', () => {
  it.each([
    ['a scale of zero', { ...SCHEMA, columns: [{ kind: 'number', name: 'x', centre: 0, scale: 0 }] }],
    [
      'a centre that is no number',
      { ...SCHEMA, columns: [{ kind: 'number', name: 'x', centre: Number.NaN, scale: 1 }] },
    ],
    ['a category twice', { ...SCHEMA, columns: [{ kind: 'category', name: 'x', values: ['a', 'a'] }] }],
    ['no column', { ...SCHEMA, columns: [] }],
    ['one class', { ...SCHEMA, label: { name: 'kind', values: ['a'] } }],
    ['the label among the features', { ...SCHEMA, label: { name: 'length', values: ['a', 'b'] } }],
  ] as const)('refuses %s', (_, schema) => {
    expect(errorOf(() => checkSchema(schema as TableSchema)).name).toBe('InvalidDatasetError')
  })
})
