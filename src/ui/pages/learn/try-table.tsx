import { useEffect, useState } from 'react'
import type { TableSchema } from '../../../core/learning/dataset-table.ts'
import { Field } from '../../parts/controls.tsx'
import { freshRow, refuseCell, rowFeatures } from './table-row.ts'

interface TryTableProps {
  readonly table: TableSchema
  /** Stable. */
  readonly onInput: (input: Float32Array | null) => void
}

/** A row of one's own. It starts with a middling one. */
export function TryTable({ table, onInput }: TryTableProps) {
  const [row, setRow] = useState(() => freshRow(table))
  useEffect(() => onInput(rowFeatures(table, row)), [table, row, onInput])
  const set = (at: number, text: string): void => setRow((last) => last.map((cell, i) => (i === at ? text : cell)))
  return (
    <div className="fields learn-row">
      {table.columns.map((column, at) => (
        <Field key={column.name} label={column.name} error={refuseCell(column, row[at] ?? '')}>
          {(ids) =>
            column.kind === 'number' ? (
              <input
                {...ids}
                className="input"
                inputMode="decimal"
                value={row[at]}
                onChange={(event) => set(at, event.target.value)}
              />
            ) : (
              <select {...ids} className="input" value={row[at]} onChange={(event) => set(at, event.target.value)}>
                {column.values.map((value) => (
                  <option key={value}>{value}</option>
                ))}
              </select>
            )
          }
        </Field>
      ))}
    </div>
  )
}
