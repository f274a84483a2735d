import { STANDING_FAILED_MILLI, STANDING_GOOD_MILLI, STANDING_MAX, STANDING_WRONG_MILLI } from './limits.ts'

const PPM = 1_000_000
const MILLI_MAX = STANDING_MAX * 1_000

/** What a task did to a standing. `wrong`: its result was proved wrong. */
export type TaskEnd = 'good' | 'failed' | 'wrong'

/**
 * The standing after a task, thousandths, 0 to 1,000,000: a good full task earns one, a failed one loses ten, a wrong result a
 * whole tier. What is earned or lost by honest work goes by the task's share of 30 s; a lie costs the same however small. Rule [T6].
 */
export function standingAfter(milli: number, end: TaskEnd, sharePpm: number): number {
  switch (end) {
    case 'good':
      return Math.min(MILLI_MAX, milli + Math.floor((STANDING_GOOD_MILLI * Math.min(sharePpm, PPM)) / PPM))
    case 'failed':
      return Math.max(0, milli - Math.ceil((STANDING_FAILED_MILLI * Math.min(sharePpm, PPM)) / PPM))
    case 'wrong':
      return Math.max(0, milli - STANDING_WRONG_MILLI)
  }
}

/** The standing that is shown and that gives the tier, 0 to 1,000. */
export function standingOf(milli: number): number {
  return Math.floor(milli / 1_000)
}
