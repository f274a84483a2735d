import { type KeyboardEvent, type MouseEvent, memo, useEffect, useRef, useState } from 'react'
import type { UnitGrid as Grid } from '../../../node/contract.ts'
import { peerName } from '../../format/peer-name.ts'
import { UNIT_STATE_WORDS, UNIT_STATES } from '../../format/states.ts'
import type { JobWatch } from '../../state/job-watch.ts'
import { type GridGeometry, gridGeometry, moveTo, unitAt } from './grid-geometry.ts'
import { type ColourBy, GridPainter } from './grid-painter.ts'
import './unit-grid.css'

/** The grid takes this much height if the units fit, so that the page does not jump while they come in. */
const GRID_HEIGHT = 340

interface UnitGridProps {
  readonly watch: JobWatch
  readonly units: number
  readonly by: ColourBy
  readonly selected: number | null
  readonly onOpen: (unit: number) => void
}

/**
 * One cell for each unit, painted past React. For the keyboard and for screen readers it is a grid with one live cell: arrows
 * move, Enter opens.
 */
export const UnitGrid = memo(function UnitGrid({ watch, units, by, selected, onOpen }: UnitGridProps) {
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const geometry = useRef<GridGeometry | null>(null)
  const [cursor, setCursor] = useState(selected ?? 0)
  const [focused, setFocused] = useState(false)
  const [, setSize] = useState('')

  useEffect(() => {
    const element = box.current
    const target = canvas.current
    if (element === null || target === null) return
    const painter = new GridPainter(target)
    const lay = (): void => {
      geometry.current = gridGeometry(units, { width: element.clientWidth, height: GRID_HEIGHT })
      painter.resize(geometry.current, by)
      if (watch.grid !== null) painter.paint(watch.grid, null)
      // Where the cursor's ring is drawn depends on the geometry.
      setSize(`${geometry.current.columns}/${geometry.current.pitch}`)
    }
    const resize = new ResizeObserver(lay)
    resize.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', lay)
    const unlisten = watch.onGrid((grid, changed) => painter.paint(grid, changed))
    return () => {
      unlisten()
      dark.removeEventListener('change', lay)
      resize.disconnect()
    }
  }, [watch, units, by])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault()
      onOpen(cursor)
      return
    }
    const next = geometry.current === null ? null : moveTo(event.key, cursor, units, geometry.current)
    if (next === null) return
    event.preventDefault()
    setCursor(next)
    if (selected !== null) onOpen(next)
  }

  const onClick = (event: MouseEvent): void => {
    const target = canvas.current?.getBoundingClientRect()
    if (target === undefined || geometry.current === null) return
    const unit = unitAt(geometry.current, units, event.clientX - target.left, event.clientY - target.top)
    if (unit === null) return
    setCursor(unit)
    onOpen(unit)
  }

  const ring = focused ? cursor : selected
  return (
    // biome-ignore lint/a11y/useSemanticElements: thousands of cells on one canvas cannot be a table
    <div
      ref={box}
      className="unit-grid"
      role="grid"
      tabIndex={0}
      aria-label={`Units of this job, ${units} in all. Arrow keys move, Enter opens one.`}
      aria-rowcount={geometry.current?.rows ?? 1}
      aria-colcount={geometry.current?.columns ?? units}
      aria-activedescendant="unit-cursor"
      onKeyDown={onKeyDown}
      onClick={onClick}
      onFocus={() => setFocused(true)}
      onBlur={() => setFocused(false)}
    >
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without tabindex takes no focus */}
      <canvas ref={canvas} aria-hidden="true" />
      <Ring unit={ring} geometry={geometry.current} />
      {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: the grid has the focus, see above */}
      <div
        role="row"
        className="hidden-visually"
        aria-rowindex={1 + Math.floor(cursor / (geometry.current?.columns ?? 1))}
      >
        {/* biome-ignore lint/a11y/useSemanticElements lint/a11y/useFocusableInteractive: the grid has the focus, see above */}
        <div id="unit-cursor" role="gridcell" aria-colindex={1 + (cursor % (geometry.current?.columns ?? 1))}>
          {describeCell(watch.grid, cursor)}
        </div>
      </div>
    </div>
  )
})

function Ring({ unit, geometry }: { readonly unit: number | null; readonly geometry: GridGeometry | null }) {
  if (unit === null || geometry === null) return null
  const { columns, pitch, cell, width, height } = geometry
  return (
    <svg className="unit-ring" width={width} height={height} aria-hidden="true">
      <rect
        x={(unit % columns) * pitch - 1.5}
        y={Math.floor(unit / columns) * pitch - 1.5}
        width={cell + 3}
        height={cell + 3}
        rx="3"
      />
    </svg>
  )
}

function describeCell(grid: Grid | null, unit: number): string {
  const state = UNIT_STATES[grid?.states[unit] ?? 0] ?? 'pending'
  const peer = grid?.peers[(grid.executors[unit] ?? 0) - 1]
  const by = peer === undefined ? '' : `, ${peerName(peer)}`
  return `Unit ${unit}, ${UNIT_STATE_WORDS[state].word}${by}`
}
