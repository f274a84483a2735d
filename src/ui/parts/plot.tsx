import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { significant } from '../format/number.ts'
import { clockSeconds } from '../format/time.ts'
import './plot.css'

interface PlotProps {
  /** What is plotted, for who cannot see it; with the last value. */
  readonly label: string
  /** Seconds since 1970 (or relative to now, with `relativeTime`), ascending. */
  readonly x: readonly number[]
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
  readonly height?: number
  readonly relativeTime?: boolean
  readonly format?: (value: number) => string
}

const COLOURS = ['--accent', '--peer-1', '--peer-2', '--peer-3', '--peer-4', '--peer-6']

/** A live line plot over time. Colours come from the tokens and follow the theme. */
export function Plot({ label, x, series, height = 160, relativeTime = false, format = significant }: PlotProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const data = useRef<uPlot.AlignedData>([[], []])
  const names = series.map((each) => each.name).join('\n')
  data.current = [x as number[], ...series.map((each) => each.values as (number | null)[])]

  useEffect(() => {
    const element = host.current
    if (element === null) return
    const build = (): void => {
      plot.current?.destroy()
      const options = plotOptions(element, names.split('\n'), height, relativeTime, format)
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
  }, [names, height, relativeTime, format])

  useEffect(() => {
    plot.current?.setData(data.current)
  })

  return <div ref={host} className={`plot plot-height-${height}`} role="img" aria-label={label} />
}

function plotOptions(
  element: HTMLElement,
  names: readonly string[],
  height: number,
  relativeTime: boolean,
  format: (value: number) => string,
): uPlot.Options {
  const style = getComputedStyle(element)
  const token = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: token('--text-3'),
    grid: { stroke: token('--border'), width: 1 },
    ticks: { show: false },
    font: `11px ${token('--font')}`,
  }
  const timeLabel = (value: number): string => (relativeTime ? minutes(value) : clockSeconds(value * 1000))
  return {
    width: element.clientWidth,
    height,
    legend: { show: names.length > 1 },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      { ...axis, space: 90, values: (_, ticks) => ticks.map(timeLabel) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      { value: (_, value) => (value === null ? '–' : timeLabel(value)) },
      ...names.map((name, at) => ({
        label: name,
        stroke: token(COLOURS[at % COLOURS.length] ?? '--accent'),
        width: 1.5,
        points: { show: false },
        value: (_: uPlot, value: number | null) => (value === null ? '–' : format(value)),
      })),
    ],
  }
}

/** `−1:30`: minutes and seconds before now. */
function minutes(seconds: number): string {
  const whole = Math.round(Math.abs(seconds))
  if (whole === 0) return 'now'
  return `${seconds < 0 ? '−' : ''}${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
