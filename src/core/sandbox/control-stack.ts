import type { FunctionType } from './module-context.ts'

export const FRAME_FUNCTION = 0
export const FRAME_BLOCK = 1
export const FRAME_LOOP = 2
export const FRAME_IF = 3
export const FRAME_ELSE = 4

/** Nothing jumps back yet. */
export const BACK_NONE = -1
/** Jumps back come from several cells, or from where not every turn passes. */
export const BACK_SEVERAL = -2

/** One open block. Objects are kept and used again, so that scanning allocates only on a new greatest depth. */
export class ControlFrame {
  kind = FRAME_BLOCK
  type: FunctionType
  /** Operands below the block. */
  height = 0
  /** The rest of the block cannot run, and its operand stack is polymorphic. */
  unreachable = false
  /** The whole block lies in unreachable code and is left out. */
  dead = false
  /** Depth of the outermost frame that something inside jumps to. If further out than this, what follows may run less often. */
  escapeDepth = 0
  /** The cell that was current before the block. */
  cell = 0
  /** Some path to here, or to the block's label, has called something since the guards were last tested. */
  called = false
  calledAtLabel = false
  /** First of the NaN classes of the label's values; -1 when none of them carries NaNs. */
  nodes = -1
  loopDepth = 0
  /** Of a loop: its header's cell, and the one cell from which everything jumps back; `BACK_*` when there is no such cell. */
  header = 0
  backCell = BACK_NONE
  /** The last `br_table` that checked this frame's label. */
  stamp = 0

  constructor(type: FunctionType) {
    this.type = type
  }

  get labelTypes(): Uint8Array {
    return this.kind === FRAME_LOOP ? this.type.params : this.type.results
  }
}

export class ControlStack {
  readonly frames: ControlFrame[] = []
  depth = 0

  /** Opens a block with all fields at their defaults. */
  push(kind: number, type: FunctionType): ControlFrame {
    let frame = this.frames[this.depth]
    if (frame === undefined) {
      frame = new ControlFrame(type)
      this.frames.push(frame)
    }
    this.depth++
    frame.kind = kind
    frame.type = type
    frame.unreachable = false
    frame.dead = false
    frame.escapeDepth = this.depth
    frame.called = false
    frame.calledAtLabel = false
    frame.nodes = -1
    frame.stamp = 0
    frame.backCell = BACK_NONE
    return frame
  }

  get top(): ControlFrame {
    return this.frames[this.depth - 1] as ControlFrame // the function's own frame is always open while scanning
  }

  /** The frame of label `label`, counted from the innermost; the caller has checked the range. */
  label(label: number): ControlFrame {
    return this.frames[this.depth - 1 - label] as ControlFrame
  }
}
