import type { ConfusionMatrix } from '../../../node/learning-contract.ts'

/** One class taken for another. */
export interface MixUp {
  readonly truth: string
  readonly predicted: string
  readonly count: number
}

export interface ConfusionRow {
  readonly name: string
  readonly counts: readonly number[]
  readonly total: number
}

/** Rows of true classes. */
export function rowsOf({ classes, counts }: Pick<ConfusionMatrix, 'classes' | 'counts'>): ConfusionRow[] {
  const width = classes.length
  return classes.map((name, at) => {
    const row = Array.from(counts.subarray(at * width, (at + 1) * width))
    return { name, counts: row, total: row.reduce((sum, count) => sum + count, 0) }
  })
}

/** The most frequent mistakes, worst first. */
export function mixUpsOf(rows: readonly ConfusionRow[], max: number): MixUp[] {
  return rows
    .flatMap(({ name, counts }, truth) =>
      counts.map((count, at) => ({ truth: name, predicted: rows[at]?.name ?? '', count, right: at === truth })),
    )
    .filter(({ count, right }) => count > 0 && !right)
    .sort((a, b) => b.count - a.count)
    .slice(0, max)
    .map(({ truth, predicted, count }) => ({ truth, predicted, count }))
}

/** Steps of shade, 0 being none. */
const SHADES = 4

/** How dark a cell is: by its share of the row. */
export function shadeOf(count: number, total: number): number {
  return count === 0 || total === 0 ? 0 : Math.max(1, Math.round((count / total) * SHADES))
}
