import { memo, useEffect, useMemo, useState } from 'react'
import type { ConfusionMatrix } from '../../../node/learning-contract.ts'
import { plural } from '../../format/number.ts'
import { Panel, Skeleton } from '../../parts/panel.tsx'
import { useNode } from '../../state/node-context.ts'
import { type ConfusionRow, mixUpsOf, rowsOf, shadeOf } from './confusion.ts'
import '../../parts/table.css'

/** More classes than this are no table that one reads. */
const TABLE_CLASSES_MAX = 30
const MIX_UPS_SHOWN = 3
const MIX_UPS_INSTEAD = 20

interface ConfusionPanelProps {
  readonly taskId: string
  /** A new count means a new model. */
  readonly roundsDone: number
  readonly heldOut: number
}

/** What the model takes for what, on samples it never trained on. */
export const ConfusionPanel = memo(function ConfusionPanel({ taskId, roundsDone, heldOut }: ConfusionPanelProps) {
  const matrix = useConfusion(taskId, roundsDone, heldOut)
  return (
    <Panel title="What it mixes up" note={heldOut === 0 ? undefined : `on your ${plural(heldOut, 'held-back sample')}`}>
      {heldOut === 0 ? (
        <p className="quiet small">Needs samples of yours: join with data, and a part of it is held back to test on.</p>
      ) : matrix === null ? (
        <Skeleton lines={8} />
      ) : (
        <Matrix matrix={matrix} />
      )}
    </Panel>
  )
})

function useConfusion(taskId: string, roundsDone: number, heldOut: number): ConfusionMatrix | null {
  const node = useNode()
  const [matrix, setMatrix] = useState<ConfusionMatrix | null>(null)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round, or other samples, is another matrix
  useEffect(() => {
    let stale = false
    node.learningConfusion(taskId).then(
      (next) => (stale ? undefined : setMatrix(next)),
      // The old one stays until the next round; a model on its way is no failure.
      () => undefined,
    )
    return () => {
      stale = true
    }
  }, [node, taskId, roundsDone, heldOut])
  return matrix
}

function Matrix({ matrix }: { readonly matrix: ConfusionMatrix }) {
  const rows = useMemo(() => rowsOf(matrix), [matrix])
  const small = rows.length <= TABLE_CLASSES_MAX
  const mixUps = mixUpsOf(rows, small ? MIX_UPS_SHOWN : MIX_UPS_INSTEAD)
  return (
    <div className="stack">
      {small ? (
        <>
          <p className="quiet small">Rows: what it is. Columns: what the model says.</p>
          <MatrixTable rows={rows} />
        </>
      ) : null}
      <p className="small learn-mixups">
        {mixUps.length === 0
          ? 'Nothing: every held-back sample is right.'
          : `Most often: ${mixUps.map(({ truth, predicted, count }) => `${truth} taken for ${predicted} (${count}×)`).join(', ')}.`}
      </p>
    </div>
  )
}

function MatrixTable({ rows }: { readonly rows: readonly ConfusionRow[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Confusion matrix">
      <table className="confusion">
        <thead>
          <tr>
            <td />
            {rows.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, counts, total }, truth) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {counts.map((count, at) => (
                <td
                  // biome-ignore lint/suspicious/noArrayIndexKey: a cell is its place
                  key={at}
                  className={`${at === truth ? 'confusion-right' : 'confusion-wrong'}-${shadeOf(count, total)}`}
                >
                  {count === 0 ? <span className="confusion-none">0</span> : count}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
