import Papa from 'papaparse'
import type { NodeApi } from '../../../node/contract.ts'
import type { LearningData, LearningDataSummary } from '../../../node/learning-contract.ts'
import { plural } from '../../format/number.ts'
import { HEAD_BYTES, type SortedFiles, sortFiles } from './data-files.ts'
import type { DataWants } from './data-wants.ts'
import { readPictures } from './pictures.ts'

/** What somebody chose, as far as it is known before it is read. */
export type DataChoice =
  | { readonly kind: 'bundled'; readonly share: { readonly index: number; readonly of: number } | null }
  | { readonly kind: 'csv'; readonly file: File; readonly label: string; readonly header: readonly string[] }
  | { readonly kind: 'idx'; readonly images: File; readonly labels: File }
  | {
      readonly kind: 'pictures'
      readonly pictures: readonly { readonly file: File; readonly label: string }[]
      readonly side: number
    }

export interface LoadedData {
  readonly data: LearningData
  /** What a task of it may be called. */
  readonly name: string
  /** `null` where only the task's own preview can tell: a table that is read as the task says. */
  readonly summary: LearningDataSummary | null
}

/** A header is looked for in so much of a file. */
const HEADER_BYTES = 256 * 1024

/** Sorts files that were chosen. @throws An error for a person. */
export async function sortChosen(files: readonly File[], wants: DataWants): Promise<SortedFiles> {
  const faces = await Promise.all(
    files.map(async (file) => {
      const head = new Uint8Array(
        await file
          .slice(0, HEAD_BYTES)
          .arrayBuffer()
          .catch(() => {
            throw new Error(`“${file.name}” could not be read; to take a whole folder use “Choose a folder”`)
          }),
      )
      return { path: file.webkitRelativePath || file.name, type: file.type, head }
    }),
  )
  const sorted = sortFiles(faces)
  if (wants.files === 'table' && sorted.kind !== 'csv')
    throw new Error('This task learns from a table; choose a CSV file')
  if (wants.files === 'pictures' && sorted.kind === 'csv')
    throw new Error('This task learns from pictures; choose IDX files or pictures')
  return sorted
}

/** The names of a table's columns; empty when they cannot be read here, as in a packed file. */
export async function readHeader(file: File): Promise<readonly string[]> {
  if (file.name.endsWith('.gz')) return []
  const text = await file.slice(0, HEADER_BYTES).text()
  const { data } = Papa.parse<string[]>(text, { preview: 1, delimitersToGuess: [',', ';', '\t'] })
  return (data[0] ?? []).map((name) => name.trim())
}

/** Reads what was chosen. @throws An error for a person: what does not fit, where, and the limit. */
export async function loadData(choice: DataChoice, wants: DataWants, node: NodeApi): Promise<LoadedData> {
  switch (choice.kind) {
    case 'bundled': {
      const { share } = choice
      const data: LearningData = { kind: 'bundled', name: 'digits', ...(share !== null && { part: share }) }
      return { data, name: 'Digits', summary: await node.inspectLearningData(data) }
    }
    case 'csv': {
      const data = { kind: 'csv', bytes: await bytesOf(choice.file), labelColumn: choice.label } as const
      const name = nameOf(choice.file)
      return { data, name, summary: wants.label === null ? await node.inspectLearningData(data) : null }
    }
    case 'idx': {
      const data = { kind: 'idx', images: await bytesOf(choice.images), labels: await bytesOf(choice.labels) } as const
      const summary = await node.inspectLearningData(data)
      if (wants.inputs !== null && summary.inputs !== wants.inputs)
        throw new Error(`These pictures have ${plural(summary.inputs, 'pixel')} each; the task takes ${wants.inputs}`)
      return { data, name: nameOf(choice.images), summary }
    }
    case 'pictures': {
      const { side } = choice
      const { inputs, labels, classes, perClass } = await readPictures(choice.pictures, {
        side,
        classes: wants.classes,
      })
      const summary: LearningDataSummary = {
        samples: labels.length,
        inputs: side * side,
        classes,
        perClass,
        picture: { width: side, height: side },
        table: null,
      }
      return { data: { kind: 'samples', inputs, labels }, name: classes.slice(0, 3).join(', '), summary }
    }
  }
}

/** `Flowers` of `flowers.csv`. */
function nameOf(file: File): string {
  const base = file.name
    .replace(/(\.\w+)+$/, '')
    .replaceAll(/[-_]+/g, ' ')
    .trim()
  return base.slice(0, 1).toUpperCase() + base.slice(1)
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer())
}
