import { significant } from '../../format/number.ts'

interface HistogramProps {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly counts: readonly number[]
}

const HEIGHT = 80
const BAR = 10

/** Bars as one picture: a count for each bin between two ends. */
export function Histogram({ label, from, to, counts }: HistogramProps) {
  const most = Math.max(1, ...counts)
  const width = counts.length * BAR
  return (
    <figure className="histogram">
      <svg viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Histogram: ${label}`}>
        {counts.map((count, at) => {
          const height = (count / most) * HEIGHT
          // biome-ignore lint/suspicious/noArrayIndexKey: a bin is its place
          return <rect key={at} x={at * BAR} y={HEIGHT - height} width={BAR - 1} height={height} />
        })}
      </svg>
      <figcaption className="row spread small quiet">
        <span>{significant(from)}</span>
        <span>{label}</span>
        <span>{significant(to)}</span>
      </figcaption>
    </figure>
  )
}
