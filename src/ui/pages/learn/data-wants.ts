import type { Architecture } from '../../../core/learning/model.ts'
import type { LearningTaskDetail } from '../../../node/learning-contract.ts'

/** Which data can be chosen. */
export interface DataWants {
  /** The digits that ship with Starling, and into how many shares they are cut for members; 0 offers all of them. */
  readonly bundled: { readonly shares: number } | null
  readonly files: 'any' | 'table' | 'pictures'
  /** The classes pictures must show; `null` takes those that occur. */
  readonly classes: readonly string[] | null
  /** Side to which pictures are scaled; `null` leaves it to the person. */
  readonly side: number | null
  /** The column of classes; `null` leaves it to the person. */
  readonly label: string | null
  /** Values that a sample must have; `null` takes any. */
  readonly inputs: number | null
}

export const ANY_DATA: DataWants = {
  bundled: { shares: 0 },
  files: 'any',
  classes: null,
  side: null,
  label: null,
  inputs: null,
}

const DIGITS = '0123456789'
/** Pictures of the bundled digits are 14 × 14. */
const BUNDLED_INPUTS = 196
/** Shares of the bundled digits at least, so that tabs of one demonstration seldom train on the same ones. */
const SHARES_MIN = 8

type Shape = Pick<LearningTaskDetail, 'architecture' | 'classes' | 'table'>

/** The data that members of a task can bring. */
export function wantsOf(task: Shape & Pick<LearningTaskDetail, 'options'>): DataWants {
  const { architecture, classes, table } = task
  const inputs = inputsOf(architecture)
  if (table !== null)
    return { bundled: null, files: 'table', classes, side: null, label: table.label.name, inputs: null }
  const bundled = isDigits(task) && inputs === BUNDLED_INPUTS ? { shares: sharesOf(task.options) } : null
  return { bundled, files: 'pictures', classes, side: pictureSideOf(task), label: null, inputs }
}

export function sharesOf({ participantsTarget }: { readonly participantsTarget: number }): number {
  return Math.max(SHARES_MIN, participantsTarget)
}

/** Whether the classes are the ten digits, so that a drawing can be read. */
export function isDigits({ classes }: Pick<Shape, 'classes'>): boolean {
  return classes.join('') === DIGITS
}

/** Side of the square pictures of a task; `null` when its samples are no such. */
export function pictureSideOf({ architecture, table }: Omit<Shape, 'classes'>): number | null {
  if (table !== null) return null
  if (architecture.kind === 'conv') return architecture.width === architecture.height ? architecture.width : null
  const side = Math.round(Math.sqrt(architecture.inputs))
  return side * side === architecture.inputs && side > 1 ? side : null
}

function inputsOf(architecture: Architecture): number {
  return architecture.kind === 'mlp' ? architecture.inputs : architecture.width * architecture.height
}
