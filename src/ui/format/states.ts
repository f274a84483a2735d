import type { JobState, JobSummary } from '../../node/contract.ts'
import { UNIT_STATE } from '../../node/contract.ts'

export type UnitState = keyof typeof UNIT_STATE

/** Unit states by their number in a grid. */
export const UNIT_STATES = Object.keys(UNIT_STATE) as readonly UnitState[]

/** The one word for each unit state, and what it means. */
export const UNIT_STATE_WORDS: Readonly<Record<UnitState, { readonly word: string; readonly meaning: string }>> = {
  pending: { word: 'Waiting', meaning: 'Nobody has it yet' },
  leased: { word: 'Running', meaning: 'Lent to a peer' },
  verifying: { word: 'Checking', meaning: 'Waiting for another receipt or an audit' },
  accepted: { word: 'Accepted', meaning: 'Result kept, from one executor' },
  verified: { word: 'Verified', meaning: 'Two executors agree, or it was recomputed here' },
  unsuccessful: { word: 'Ended badly', meaning: 'Accepted, but the program trapped or exited with an error' },
  failed: { word: 'Failed', meaning: 'No peer could finish it' },
}

export const JOB_STATE_WORDS: Readonly<Record<JobState, string>> = {
  running: 'Running',
  paused: 'Paused',
  done: 'Done',
  cancelled: 'Cancelled',
  failed: 'Failed',
}

export function isFinished(job: Pick<JobSummary, 'state'>): boolean {
  return job.state === 'done' || job.state === 'cancelled' || job.state === 'failed'
}
