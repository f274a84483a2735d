import type { LearningState } from '../../../node/learning-contract.ts'
import { STATE_WORDS } from './words.ts'
import '../../parts/state-mark.css'
import './learn.css'

/** A task's state as a mark that is also a word. */
export function LearningStateMark({ state }: { readonly state: LearningState }) {
  const { word, tone } = STATE_WORDS[state]
  return <span className={`learn-state learn-state-${tone}`}>{word}</span>
}

/** Units of the bar; SVG attributes rather than styles keep it within the page's policy. */
const WIDTH = 1000

interface RoundsBarProps {
  readonly done: number
  readonly rounds: number
  /** How far the round under way is, 0 to 1. */
  readonly part?: number
  readonly label: string
  /** In words; by default how many rounds. */
  readonly value?: string
}

/** How many rounds are merged. */
export function RoundsBar({ done, rounds, part = 0, label, value }: RoundsBarProps) {
  const width = (WIDTH * done) / rounds
  const now = done < rounds ? (WIDTH * part) / rounds : 0
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
      aria-valuemax={rounds}
      aria-valuenow={done}
      aria-valuetext={value ?? `${done} of ${rounds} rounds`}
    >
      <rect className="state-verified state-fill" width={width} height="8" />
      <rect className="state-leased state-fill" x={width} width={now} height="8" />
    </svg>
  )
}
