import { LimitExceededError } from '../codec/errors.ts'
import { checkSize, type Samples } from './dataset.ts'
import { InvalidDatasetError } from './errors.ts'
import {
  DATASET_CLASSES_MAX,
  LAYER_WIDTH_MAX,
  TABLE_CATEGORIES_MAX,
  TABLE_COLUMNS_MAX,
  TABLE_NAME_CHARS_MAX,
} from './limits.ts'

/** A number is fed as `(value − centre) / scale`. */
export interface NumberColumn {
  readonly kind: 'number'
  readonly name: string
  readonly centre: number
  /** Above zero. */
  readonly scale: number
}

/** A category is fed as one input for each of `values`: 1 for the one it is, 0 for the others. */
export interface CategoryColumn {
  readonly kind: 'category'
  readonly name: string
  readonly values: readonly string[]
}

export type TableColumn = NumberColumn | CategoryColumn

/**
 * How a table becomes samples. It belongs to the task: were each peer to normalise by its own data, the same weights would mean
 * different things to each.
 */
export interface TableSchema {
  /** The features, in the order of the model's inputs; other columns of a file are ignored. */
  readonly columns: readonly TableColumn[]
  /** The column of classes and their names, in the order of the model's outputs. */
  readonly label: { readonly name: string; readonly values: readonly string[] }
}

/** A parsed file: cells as written, without spaces around them. */
export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Samples, and how many rows were left out. */
export interface ReadTable {
  readonly samples: Samples
  readonly dropped: number
}

/** What counts as no value. */
const MISSING: ReadonlySet<string> = new Set(['', '?', 'na', 'n/a', 'nan', 'null', 'none'])

/** Width of one sample. */
export function tableFeatures(schema: TableSchema): number {
  return schema.columns.reduce((sum, column) => sum + (column.kind === 'number' ? 1 : column.values.length), 0)
}

/**
 * A schema that fits a table: a column is a number when each of its values is, otherwise a category. Numbers are centred at their mean and
 * scaled by their standard deviation (population; 1 for a column that is constant). Labels and categories are sorted: numbers by
 * value when all are numbers, else by code unit.
 *
 * @param options.label - Name of the column of classes.
 * @param options.classes - The classes, in the order of the model's outputs; `null` takes those that occur.
 * @throws {@link InvalidDatasetError} If the column of classes is missing, a name is empty or double, or no row is complete.
 * @throws {@link LimitExceededError} If there are too many columns, categories or classes.
 */
export function inferSchema(
  table: Table,
  options: { readonly label: string; readonly classes: readonly string[] | null },
): TableSchema {
  const { label, classes } = options
  checkHeader(table.header)
  const labelIndex = columnIndexes(table.header, [label])[0] as number
  const rows = table.rows.filter((row) => row.length === table.header.length && !row.some(isMissing))
  if (rows.length === 0)
    throw new InvalidDatasetError('Table has 0 complete rows, limit 1 at least', { field: 'rows', value: 0, limit: 1 })
  const columns = table.header.flatMap((name, index): TableColumn[] => {
    if (index === labelIndex) return []
    const cells = rows.map((row) => row[index] as string)
    return [cells.every((cell) => numberOf(cell) !== null) ? numberColumn(name, cells) : categoryColumn(name, cells)]
  })
  if (columns.length === 0)
    throw new InvalidDatasetError('Table has 0 columns of features, limit 1 at least', {
      field: 'columns',
      value: 0,
      limit: 1,
    })
  const found = rows.map((row) => row[labelIndex] as string)
  const values = classes ?? distinct(label, found, DATASET_CLASSES_MAX)
  if (values.length < 2) {
    throw new InvalidDatasetError(`Column ${label} has ${values.length} class, limit 2 at least`, {
      field: label,
      value: values.length,
      limit: 2,
    })
  }
  return { columns, label: { name: label, values } }
}

/**
 * Reads a table by a schema.
 *
 * @param options.incompleteRows - What to do with a row that has a missing value (empty, `?`, `NA`, `null` …).
 * @throws {@link InvalidDatasetError} Naming every column that is missing; or the row, column and value that does not fit.
 * @throws {@link LimitExceededError} If the samples would take too much memory.
 */
export function readTable(
  table: Table,
  schema: TableSchema,
  options: { readonly incompleteRows: 'refuse' | 'drop' },
): ReadTable {
  checkHeader(table.header)
  checkSchema(schema)
  const names = [...schema.columns.map(({ name }) => name), schema.label.name]
  const indexes = columnIndexes(table.header, names)
  const features = tableFeatures(schema)
  checkSize(Math.max(1, table.rows.length), features)
  const values = new Float32Array(table.rows.length * features)
  const labels = new Uint8Array(table.rows.length)
  const classes = positions(schema.label.values)
  const categories = schema.columns.map((column) => (column.kind === 'category' ? positions(column.values) : null))
  let count = 0
  for (const [line, row] of table.rows.entries()) {
    if (row.length !== table.header.length) {
      throw cellError(line, 'columns', row.length, `${table.header.length} exactly`)
    }
    const missing = indexes.findIndex((index) => isMissing(row[index] as string))
    if (missing >= 0) {
      if (options.incompleteRows === 'drop') continue
      throw cellError(line, names[missing] as string, row[indexes[missing] as number] as string, 'a value')
    }
    let at = count * features
    for (const [i, column] of schema.columns.entries()) {
      const cell = row[indexes[i] as number] as string
      if (column.kind === 'number') {
        const value = numberOf(cell)
        const scaled = value === null ? Number.NaN : Math.fround((value - column.centre) / column.scale)
        if (!Number.isFinite(scaled)) throw cellError(line, column.name, cell, 'a finite number')
        values[at++] = scaled
      } else {
        const position = categories[i]?.get(cell)
        if (position === undefined)
          throw cellError(line, column.name, cell, `one of ${column.values.length} categories`)
        values[at + position] = 1
        at += column.values.length
      }
    }
    const cell = row[indexes.at(-1) as number] as string
    const position = classes.get(cell)
    if (position === undefined)
      throw cellError(line, schema.label.name, cell, `one of ${schema.label.values.length} classes`)
    labels[count++] = position
  }
  checkSize(count, features)
  return {
    samples: {
      values: values.slice(0, count * features),
      labels: labels.slice(0, count),
      features,
      classes: schema.label.values.length,
      labelNames: schema.label.values,
      picture: null,
    },
    dropped: table.rows.length - count,
  }
}

/**
 * @throws {@link InvalidDatasetError} If names are empty or double, a scale is not above zero, or there are too few classes.
 * @throws {@link LimitExceededError} If there are too many columns, categories or inputs.
 */
export function checkSchema(schema: TableSchema): void {
  checkHeader([...schema.columns.map(({ name }) => name), schema.label.name])
  for (const column of schema.columns) {
    if (column.kind === 'number') {
      if (!Number.isFinite(column.centre) || !Number.isFinite(column.scale) || column.scale <= 0) {
        throw new InvalidDatasetError(`Column ${column.name} has scale ${column.scale}, limit above 0, finite`, {
          field: column.name,
          value: column.scale,
          limit: 0,
        })
      }
    } else if (column.kind === 'category') checkDistinct(column.name, column.values, 1, TABLE_CATEGORIES_MAX)
    else throw new InvalidDatasetError('Column has a kind that is not known', { field: 'kind' })
  }
  checkDistinct(schema.label.name, schema.label.values, 2, DATASET_CLASSES_MAX)
  const features = tableFeatures(schema)
  if (features < 1)
    throw new InvalidDatasetError('Schema has 0 features, limit 1 at least', { field: 'columns', value: 0, limit: 1 })
  if (features > LAYER_WIDTH_MAX) throw tooMany('features', features, LAYER_WIDTH_MAX)
}

function checkDistinct(name: string, values: readonly string[], least: number, most: number): void {
  if (values.length > most) throw tooMany(name, values.length, most)
  const different = new Set(values).size
  if (different !== values.length || different < least) {
    throw new InvalidDatasetError(
      `Column ${name} has ${different} different values of ${values.length}, limit ${least} at least, all different`,
      {
        field: name,
        value: different,
        limit: least,
      },
    )
  }
  for (const value of values)
    if (value.length > TABLE_NAME_CHARS_MAX) throw tooMany(name, value.length, TABLE_NAME_CHARS_MAX)
}

function checkHeader(header: readonly string[]): void {
  if (header.length > TABLE_COLUMNS_MAX) throw tooMany('columns', header.length, TABLE_COLUMNS_MAX)
  const seen = new Set<string>()
  for (const [index, name] of header.entries()) {
    if (name === '' || seen.has(name)) {
      throw new InvalidDatasetError(`Column ${index + 1} is called "${name}", limit a name of its own`, {
        field: 'header',
        value: name,
        limit: 'unique, not empty',
      })
    }
    if (name.length > TABLE_NAME_CHARS_MAX) throw tooMany('header', name.length, TABLE_NAME_CHARS_MAX)
    seen.add(name)
  }
}

/** Where each name stands in the header; all that are missing are named at once. */
function columnIndexes(header: readonly string[], names: readonly string[]): number[] {
  const missing = names.filter((name) => !header.includes(name))
  if (missing.length > 0) {
    throw new InvalidDatasetError(
      `Table lacks the columns: ${missing.join(', ')}; it has: ${header.slice(0, 20).join(', ')}`,
      {
        field: 'header',
        value: missing.join(', '),
        limit: names.length,
      },
    )
  }
  return names.map((name) => header.indexOf(name))
}

function numberColumn(name: string, cells: readonly string[]): NumberColumn {
  const numbers = cells.map((cell) => numberOf(cell) ?? 0)
  const centre = numbers.reduce((sum, value) => sum + value, 0) / numbers.length
  const variance = numbers.reduce((sum, value) => sum + (value - centre) ** 2, 0) / numbers.length
  const scale = Math.sqrt(variance)
  return { kind: 'number', name, centre, scale: Number.isFinite(scale) && scale > 0 ? scale : 1 }
}

function categoryColumn(name: string, cells: readonly string[]): CategoryColumn {
  return { kind: 'category', name, values: distinct(name, cells, TABLE_CATEGORIES_MAX) }
}

function distinct(name: string, cells: readonly string[], most: number): string[] {
  const values = [...new Set(cells)]
  if (values.length > most) throw tooMany(name, values.length, most)
  const numeric = values.every((value) => numberOf(value) !== null)
  return numeric ? values.sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1)) : values.sort()
}

function isMissing(cell: string): boolean {
  return MISSING.has(cell.toLowerCase())
}

/** Decimal numbers only: `Number` alone would take `0x10`, `Infinity` and the empty cell. */
function numberOf(cell: string): number | null {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(cell) ? Number(cell) : null
}

function positions(values: readonly string[]): Map<string, number> {
  return new Map(values.map((value, index) => [value, index]))
}

function cellError(line: number, field: string, value: string | number, limit: string): InvalidDatasetError {
  const shown = typeof value === 'string' ? `"${value.slice(0, 40)}"` : value
  return new InvalidDatasetError(`Row ${line + 1} has ${field} ${shown}, limit ${limit}`, {
    field,
    row: line + 1,
    value: typeof value === 'string' ? value.slice(0, 40) : value,
    limit,
  })
}

function tooMany(field: string, value: number, limit: number): LimitExceededError {
  return new LimitExceededError(`Table has ${field} ${value}, limit ${limit}`, { field, value, limit })
}
