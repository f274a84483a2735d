import type { TableColumn, TableSchema } from '../../../core/learning/dataset-table.ts'

/** What the form starts with: a middling row. */
export function freshRow({ columns }: Pick<TableSchema, 'columns'>): string[] {
  return columns.map((column) => (column.kind === 'number' ? shown(column.centre) : (column.values[0] ?? '')))
}

/** As many digits as tell rows apart. */
function shown(value: number): string {
  return String(Number(value.toPrecision(4)))
}

/** Why a cell cannot be taken, or `null`. */
export function refuseCell(column: TableColumn, text: string): string | null {
  if (column.kind === 'category') return column.values.includes(text) ? null : `${column.name} has no “${text}”`
  return text.trim() !== '' && Number.isFinite(Number(text))
    ? null
    : `${column.name} is ${text || 'empty'}; it must be a number`
}

/** A row as the task reads tables, or `null` when a cell is wrong. */
export function rowFeatures({ columns }: Pick<TableSchema, 'columns'>, row: readonly string[]): Float32Array | null {
  if (columns.some((column, at) => refuseCell(column, row[at] ?? '') !== null)) return null
  const features = columns.flatMap((column, at) => {
    const text = row[at] ?? ''
    if (column.kind === 'number') return [(Number(text) - column.centre) / column.scale]
    return column.values.map((value) => (value === text ? 1 : 0))
  })
  return Float32Array.from(features)
}
