import { describe, expect, it } from 'vitest'
import { inferSchema, readTable } from '../../../core/learning/dataset-table.ts'
import { freshRow, refuseCell, rowFeatures } from './table-row.ts'

const TABLE = {
  header: ['length', 'colour', 'kind'],
  rows: [
    ['1', 'red', 'a'],
    ['3', 'blue', 'b'],
    ['5.5', 'red', 'a'],
  ],
}
const SCHEMA = inferSchema(TABLE, { label: 'kind', classes: null })

describe('rowFeatures', () => {
  it('reads a row as the table itself is read', () => {
    const { samples } = readTable(TABLE, SCHEMA, { incompleteRows: 'refuse' })
    for (const [at, row] of TABLE.rows.entries())
      expect(rowFeatures(SCHEMA, row)).toEqual(samples.values.slice(at * 3, at * 3 + 3))
  })

  it('takes no row with a cell that is wrong', () => {
    expect(rowFeatures(SCHEMA, ['x', 'red'])).toBeNull()
    expect(rowFeatures(SCHEMA, ['1', 'green'])).toBeNull()
    expect(refuseCell(SCHEMA.columns[0] as never, '')).toContain('length is empty')
  })

  it('starts with a row that can be taken', () => {
    expect(freshRow(SCHEMA)).toEqual(['3.167', 'blue'])
    expect(rowFeatures(SCHEMA, freshRow(SCHEMA))).not.toBeNull()
  })
})
