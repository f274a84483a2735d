interface Bar {
  readonly label: string
  /** 0 to 1: how long the bar is. */
  readonly share: number
  readonly value: string
  readonly strong?: boolean
}

/** Units of a bar; SVG attributes rather than styles keep it within the page's policy. */
const WIDTH = 100
/** Characters of labels that need no column of words. */
const SHORT_LABEL = 2

/** Figures side by side as bars, each with its name and value in words. */
export function Bars({ label, bars }: { readonly label: string; readonly bars: readonly Bar[] }) {
  const short = bars.every((bar) => bar.label.length <= SHORT_LABEL)
  return (
    <ul className={short ? 'bars bars-short small' : 'bars small'} aria-label={label}>
      {bars.map((bar) => (
        <li key={bar.label} className={bar.strong ? 'bar bar-strong' : 'bar'}>
          <span className="truncate bar-label" title={bar.label}>
            {bar.label}
          </span>
          <svg viewBox={`0 0 ${WIDTH} 8`} preserveAspectRatio="none" height="8" aria-hidden="true">
            <rect className="bar-ground" width={WIDTH} height="8" />
            <rect className="bar-fill" width={Math.max(0, Math.min(1, bar.share)) * WIDTH} height="8" />
          </svg>
          <span className="bar-value">{bar.value}</span>
        </li>
      ))}
    </ul>
  )
}

/** How many samples of each class there are. */
export function ClassBars({
  classes,
  counts,
}: {
  readonly classes: readonly string[]
  readonly counts: readonly number[]
}) {
  const most = Math.max(1, ...counts)
  const bars = classes.map((name, at) => ({
    label: name,
    share: (counts[at] ?? 0) / most,
    value: String(counts[at] ?? 0),
  }))
  return <Bars label="Samples of each class" bars={bars} />
}
