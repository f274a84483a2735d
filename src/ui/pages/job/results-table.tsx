import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useReducer, useRef, useState } from 'react'
import type { UnitOutcome } from '../../../core/tasks/unit.ts'
import type { ResultItem } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { endWords, preview } from '../../format/output.ts'
import { PREVIEW_CHARACTERS_MAX } from '../../limits.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { useNode } from '../../state/node-context.ts'
import { useStore } from '../../state/store.ts'
import { ResultPages } from './result-pages.ts'
import './results-table.css'

const ROW_HEIGHT = 36
const OVERSCAN_ROWS = 8

interface ResultsTableProps {
  readonly watch: JobWatch
  readonly jobId: string
  readonly onOpen: (unit: number) => void
}

/** Results in the order they were accepted. Only the rows in sight are fetched and drawn. */
export const ResultsTable = memo(function ResultsTable({ watch, jobId, onOpen }: ResultsTableProps) {
  const accepted = useStore(watch.view, ({ summary }) => summary?.counts.accepted ?? 0)
  const node = useNode()
  const scroller = useRef<HTMLDivElement>(null)
  const [, redraw] = useReducer((turn: number) => turn + 1, 0)
  const [pages] = useState(() => new ResultPages((cursor, max) => node.results(jobId, cursor, max), redraw))
  const rows = useVirtualizer({
    count: accepted,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: OVERSCAN_ROWS,
  })
  const visible = rows.getVirtualItems()
  const first = visible[0]?.index ?? 0
  const last = visible.at(-1)?.index ?? 0
  useEffect(() => pages.want(first, Math.min(last, accepted - 1)), [pages, first, last, accepted])
  return (
    <Panel title="Results" note="in the order they were accepted">
      {/* biome-ignore lint/a11y/useSemanticElements: rows outside of the view do not exist, so their heights are set here */}
      <div
        ref={scroller}
        className="results"
        role="table"
        aria-label="Results"
        aria-rowcount={accepted + 1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
      >
        <HeadRow />
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div role="rowgroup" className="results-body" style={{ height: rows.getTotalSize() }}>
          {visible.map((row) => (
            // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above
            <div
              key={row.key}
              role="row"
              aria-rowindex={row.index + 2}
              className="results-row"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <ResultCells item={pages.at(row.index)} onOpen={onOpen} />
            </div>
          ))}
        </div>
      </div>
    </Panel>
  )
})

function HeadRow() {
  return (
    // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above
    <div role="row" aria-rowindex={1} className="results-row results-head">
      {['Unit', 'Output', 'First executor', 'Agree'].map((word) => (
        // biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: see above
        <span key={word} role="columnheader">
          {word}
        </span>
      ))}
    </div>
  )
}

function ResultCells({ item, onOpen }: { readonly item: ResultItem | null; readonly onOpen: (unit: number) => void }) {
  if (item === null) {
    return (
      // biome-ignore lint/a11y/useSemanticElements: see above
      <span role="cell" className="quiet">
        …
      </span>
    )
  }
  const { unit, outcome, executor, agreeing } = item
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <span role="cell">
        <button type="button" className="link-button" aria-label={`Open unit ${unit}`} onClick={() => onOpen(unit)}>
          {unit}
        </button>
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <span role="cell" className="truncate mono">
        {resultText(outcome)}
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <span role="cell" className="truncate">
        <Peer peerId={executor} />
      </span>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <span role="cell">{agreeing}</span>
    </>
  )
}

/** How it ended if it ended badly, else what it wrote. */
function resultText(outcome: UnitOutcome): string {
  if (outcome.trap !== null || outcome.exitCode !== 0) return endWords(outcome)
  if (outcome.stdout.length > 0) return preview(outcome.stdout, PREVIEW_CHARACTERS_MAX)
  const [file] = outcome.files
  return file === undefined ? '' : `${plural(outcome.files.length, 'file')}: ${file.path}`
}
