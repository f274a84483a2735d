import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { significant } from '../format/number.ts'
import { clockSeconds } from '../format/time.ts'
import './plot.css'

interface PlotProps {
  /** What is plotted, for who cannot see it; with the last value. */
  readonly label: string
  /** Ascending; what they are, {@link PlotProps.axis} says. */
  readonly x: readonly number[]
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
  readonly height?: number
  /** Seconds since 1970, seconds relative to now, or the whole numbers of rounds. @default 'clock' */
  readonly axis?: 'clock' | 'ago' | 'count'
  readonly format?: (value: number) => string
  /** Top of the scale; by default it follows the values. */
  readonly yMax?: number
  /** Values of `x` at which something else happened: a dashed line each. */
  readonly marks?: readonly number[]
  /** Lines differ by dashes too, so that colour alone does not tell them apart. */
  readonly dashed?: boolean
}

const COLOURS = ['--accent', '--peer-1', '--peer-2', '--peer-3', '--peer-4', '--peer-6']

const DASHES = [[], [8, 4], [2, 3], [12, 3, 2, 3], [5, 2], [2, 6]] as const

const NO_MARKS: readonly number[] = []

/** A live line plot. Colours come from the tokens and follow the theme. */
export function Plot(props: PlotProps) {
  const {
    label,
    x,
    series,
    height = 160,
    axis = 'clock',
    format = significant,
    yMax = null,
    marks = NO_MARKS,
    dashed = false,
  } = props
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useRef<uPlot.AlignedData>([[], []])
  const names = series.map((each) => each.name).join('\n')
  const marked = useRef(marks)
  marked.current = marks
  data.current = [x as number[], ...series.map((each) => each.values as (number | null)[])]

  useEffect(() => {
    const element = host.current
    if (element === null) return
    const build = (): void => {
      plot.current?.destroy()
      const shown = { names: names.split('\n'), height, axis, format, yMax, dashed, marks: () => marked.current }
      const options = plotOptions(element, shown)
      plot.current = new uPlot(options, data.current, element)
    }
    build()
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }))
    resize.observe(element)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', build)
    return () => {
      dark.removeEventListener('change', build)
      resize.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [names, height, axis, format, yMax, dashed])

  useEffect(() => {
    plot.current?.setData(data.current)
  })

  return <div ref={host} className={`plot plot-height-${height}`} role="img" aria-label={label} />
}

interface Shown {
  readonly names: readonly string[]
  readonly height: number
  readonly axis: 'clock' | 'ago' | 'count'
  readonly format: (value: number) => string
  readonly yMax: number | null
  readonly dashed: boolean
  readonly marks: () => readonly number[]
}

/** Steps between ticks of whole numbers. */
const COUNT_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500]

const X_LABELS: Readonly<Record<Shown['axis'], (value: number) => string>> = {
  clock: (value) => clockSeconds(value * 1000),
  ago: minutes,
  count: String,
}

/** What `x` is called in the legend. */
const X_NAMES: Readonly<Record<Shown['axis'], string>> = { clock: 'Time', ago: 'Time', count: 'Round' }

function plotOptions(element: HTMLElement, shown: Shown): uPlot.Options {
  const { names, height, format, yMax, dashed } = shown
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(name).trim()
  const line = {
    stroke: token('--text-3'),
    grid: { stroke: token('--border'), width: 1 },
    ticks: { show: false },
    font: `11px ${token('--font')}`,
  }
  const xLabel = X_LABELS[shown.axis]
  const steps = shown.axis === 'count' ? { incrs: COUNT_STEPS, space: 48 } : { space: 90 }
  return {
    width: element.clientWidth,
    height,
    legend: { show: names.length > 1 },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, yMax ?? (max > 0 ? max * 1.1 : 1)] } },
    axes: [
      { ...line, ...steps, values: (_, ticks) => ticks.map(xLabel) },
      { ...line, size: 64, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      { label: X_NAMES[shown.axis], value: (_, value) => (value === null ? '–' : xLabel(value)) },
      ...names.map((name, at) => ({
        label: name,
        stroke: token(COLOURS[at % COLOURS.length] ?? '--accent'),
        width: 1.5,
        ...(dashed ? { dash: [...(DASHES[at % DASHES.length] ?? [])] } : {}),
        // A line needs two points; one alone is drawn as a dot.
        points: { show: (plot: uPlot) => plot.data[0].length < 2 },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : format(value)),
      })),
    ],
    hooks: { drawAxes: [(plot) => drawMarks(plot, shown.marks(), token('--border-strong'))] },
  }
}

function drawMarks(plot: uPlot, marks: readonly number[], colour: string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.strokeStyle = colour
  ctx.setLineDash([3, 3])
  for (const mark of marks) {
    const x = Math.round(plot.valToPos(mark, 'x', true)) + 0.5
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

/** `−1:30`: minutes and seconds before now. */
function minutes(seconds: number): string {
  const whole = Math.round(Math.abs(seconds))
  if (whole === 0) return 'now'
  return `${seconds < 0 ? '−' : ''}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
