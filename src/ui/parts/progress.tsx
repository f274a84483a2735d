import type { JobCounts } from '../../node/contract.ts'
import { percentOf } from '../format/number.ts'

/** Units of a bar; SVG attributes rather than styles keep it within the page's policy. */
const WIDTH = 1000

/** How far a job is: verified, accepted, running, failed, in this order. */
export function Progress({ counts, label }: { readonly counts: JobCounts; readonly label: string }) {
  const { units, accepted, verified, leased, verifying, failed } = counts
  const parts = [
    { name: 'verified', size: Math.min(verified, accepted) },
    { name: 'accepted', size: Math.max(0, accepted - verified) },
    { name: 'verifying', size: verifying },
    { name: 'leased', size: leased },
    { name: 'failed', size: failed },
  ]
  let at = 0
  return (
    <svg
      className="progress"
      viewBox={`0 0 ${WIDTH} 8`}
      preserveAspectRatio="none"
      width="100%"
      height="8"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={units}
      aria-valuenow={accepted}
      aria-valuetext={percentOf(accepted, units)}
    >
      {parts.map(({ name, size }) => {
        const x = at
        const width = units === 0 ? 0 : (size / units) * WIDTH
        at += width
        return <rect key={name} className={`state-${name} state-fill`} x={x} width={width} height="8" />
      })}
    </svg>
  )
}
