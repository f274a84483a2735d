import Papa from 'papaparse'
import type { Table } from '../../core/learning/dataset-table.ts'
import { InvalidDatasetError } from '../../core/learning/errors.ts'
import { DATASET_SAMPLES_MAX } from '../../core/learning/limits.ts'

/**
 * Parses a CSV file with a header line: UTF-8, comma, semicolon or tab, quoted as RFC 4180 has it. Empty lines are skipped; spaces around cells
 * go.
 *
 * @throws {@link InvalidDatasetError} If the file is no UTF-8, has no line below the header, too many lines, or a quote that does not close.
 */
export function readCsv(bytes: Uint8Array): Table {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new InvalidDatasetError('File csv is no UTF-8 text', { field: 'csv' }, { cause })
  }
  const { data, errors } = Papa.parse<string[]>(text, {
    delimiter: '',
    delimitersToGuess: [',', ';', '\t'],
    skipEmptyLines: 'greedy',
    transform: (cell) => cell.trim(),
    // One more than may be, so that one more is seen.
    preview: DATASET_SAMPLES_MAX + 2,
  })
  // A file of one column has no delimiter to find: that is no fault of it.
  const error = errors.find(({ code }) => code !== 'UndetectableDelimiter')
  if (error !== undefined) {
    throw new InvalidDatasetError(`File csv, row ${error.row ?? 0}: ${error.message}`, {
      field: 'csv',
      row: error.row ?? 0,
      value: error.code,
    })
  }
  const [header, ...rows] = data
  if (header === undefined || rows.length === 0 || rows.length > DATASET_SAMPLES_MAX) {
    throw new InvalidDatasetError(`File csv has ${rows.length} rows, limit 1 to ${DATASET_SAMPLES_MAX}`, {
      field: 'csv',
      value: rows.length,
      limit: DATASET_SAMPLES_MAX,
    })
  }
  return { header, rows }
}
