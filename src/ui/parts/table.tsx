import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { type ReactNode, useMemo } from 'react'
import './table.css'

/** One column: what stands in its cells, and what its rows are sorted by. */
export interface Column<Row> {
  /** The word at the top; no two columns of a table share it. */
  readonly header: string
  readonly cell: (row: Row) => ReactNode
  /** What its rows are sorted by when a person presses the header; without it the column cannot be sorted. */
  readonly sortBy?: (row: Row) => number | string
  /** Figures stand at the right, below each other. */
  readonly number?: boolean
  readonly className?: string
  /** Shown when the pointer rests on the cell. */
  readonly title?: (row: Row) => string
}

interface TableProps<Row> {
  /** What a screen reader calls the table, and the landmark it scrolls in. */
  readonly label: string
  /** Declared once, outside of the component that draws the table. */
  readonly columns: readonly Column<Row>[]
  /** In the order they stand in until a person sorts them. */
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Stands in the table's place for rows while there are none. */
  readonly empty?: ReactNode
  /** With it a row can be chosen: by pointer anywhere in it, by keyboard in its first cell. */
  readonly selection?: Selection
}

interface Selection {
  /** The key of the chosen row. */
  readonly key: string | null
  readonly onSelect: (key: string) => void
}

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic },
})

/** Rows under headers; scrolls sideways within itself when there is no room. */
export function Table<Row extends object>({ label, columns, rows, rowKey, empty, selection }: TableProps<Row>) {
  const definitions = useMemo(() => columns.map(definitionOf), [columns])
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowKey,
    enableSortingRemoval: false,
  })
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label={label}>
      <table className={selection === undefined ? 'table' : 'table table-selectable'}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.header} column={column} sorting={table.getColumn(column.header)} />
            ))}
          </tr>
        </thead>
        <tbody>
          {table.getRowModel().rows.map(({ id, original }) => (
            <Line key={id} id={id} row={original} columns={columns} selection={selection} />
          ))}
          {rows.length === 0 && empty !== undefined ? (
            <tr>
              <td colSpan={columns.length} className="quiet">
                {empty}
              </td>
            </tr>
          ) : null}
        </tbody>
      </table>
    </section>
  )
}

function definitionOf<Row extends object>(column: Column<Row>): ColumnDef<typeof features, Row> {
  const { header, sortBy } = column
  if (sortBy === undefined) return { id: header, enableSorting: false }
  return { id: header, accessorFn: sortBy, sortFn: 'basic' }
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const

interface Sorting {
  readonly getIsSorted: () => false | 'asc' | 'desc'
  readonly getToggleSortingHandler: () => ((event: unknown) => void) | undefined
}

interface HeadProps<Row> {
  readonly column: Column<Row>
  readonly sorting: Sorting | undefined
}

function Head<Row>({ column, sorting }: HeadProps<Row>) {
  const className = column.number === true ? 'number' : undefined
  if (column.sortBy === undefined || sorting === undefined) {
    return (
      <th scope="col" className={className}>
        {column.header}
      </th>
    )
  }
  const sorted = sorting.getIsSorted()
  return (
    <th scope="col" className={className} aria-sort={sorted === false ? 'none' : ARIA_SORT[sorted]}>
      <button type="button" onClick={sorting.getToggleSortingHandler()}>
        {column.header}
        {sorted === 'asc' ? <ArrowUp aria-hidden="true" /> : null}
        {sorted === 'desc' ? <ArrowDown aria-hidden="true" /> : null}
      </button>
    </th>
  )
}

interface LineProps<Row> {
  readonly id: string
  readonly row: Row
  readonly columns: readonly Column<Row>[]
  readonly selection: Selection | undefined
}

function Line<Row>({ id, row, columns, selection }: LineProps<Row>) {
  const chosen = selection?.key === id
  return (
    // The button in the first cell is the keyboard's way to the same.
    <tr className={chosen ? 'table-chosen' : undefined} onClick={selection && (() => selection.onSelect(id))}>
      {columns.map((column, at) => (
        <td key={column.header} className={cellClass(column)} title={column.title?.(row)}>
          {at === 0 && selection !== undefined ? (
            <button
              type="button"
              className="table-choose"
              aria-pressed={chosen}
              onClick={(event) => {
                event.stopPropagation()
                selection.onSelect(id)
              }}
            >
              {column.cell(row)}
            </button>
          ) : (
            column.cell(row)
          )}
        </td>
      ))}
    </tr>
  )
}

function cellClass({ number, className }: Pick<Column<never>, 'number' | 'className'>): string | undefined {
  return number === true ? 'number' : className
}
