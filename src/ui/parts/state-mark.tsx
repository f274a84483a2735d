import { memo } from 'react'
import type { JobState } from '../../node/contract.ts'
import { JOB_STATE_WORDS, UNIT_STATE_WORDS, type UnitState } from '../format/states.ts'
import './state-mark.css'

/** The shapes of unit states in a 12 × 12 box; the grid's canvas draws the same ones. */
export const UNIT_SHAPES: Readonly<Record<UnitState, { readonly fill: boolean; readonly mark: string }>> = {
  pending: { fill: false, mark: '' },
  leased: { fill: true, mark: 'M4.500 3 9 6 4.500 9z' },
  verifying: { fill: true, mark: 'M2 5.100h1.800v1.800H2zM5.100 5.100h1.800v1.800H5.100zM8.200 5.100H10v1.800H8.200z' },
  accepted: { fill: true, mark: '' },
  verified: { fill: true, mark: 'M5.100 9.200 2.300 6.400 3.500 5.200 5.100 6.800 8.500 3.400 9.700 4.600z' },
  unsuccessful: { fill: true, mark: 'M5.200 2.500h1.600v4.500H5.200zM5.200 8h1.600v1.600H5.200z' },
  failed: {
    fill: true,
    mark: 'M3 4.100 4.100 3 6 4.900 7.900 3 9 4.100 7.100 6 9 7.900 7.900 9 6 7.100 4.100 9 3 7.900 4.900 6z',
  },
}

/** A unit state as its cell looks, with the word beside it. */
export const UnitStateMark = memo(function UnitStateMark({
  state,
  bare = false,
}: {
  state: UnitState
  bare?: boolean
}) {
  const shape = UNIT_SHAPES[state]
  const { word, meaning } = UNIT_STATE_WORDS[state]
  return (
    <span className="state-mark" title={meaning}>
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" className={`state-shape state-${state}`}>
        <rect className={shape.fill ? 'state-fill' : 'state-hollow'} x="0.5" y="0.5" width="11" height="11" rx="2" />
        {shape.mark === '' ? null : <path className="state-sign" d={shape.mark} />}
      </svg>
      {bare ? null : word}
    </span>
  )
})

export function JobStateMark({ state }: { readonly state: JobState }) {
  return <span className={`job-state job-state-${state}`}>{JOB_STATE_WORDS[state]}</span>
}
