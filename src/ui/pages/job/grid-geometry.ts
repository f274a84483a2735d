/** Where the cells of a grid are. Lengths in CSS pixels. */
export interface GridGeometry {
  readonly columns: number
  readonly rows: number
  /** Side of a cell with its gap. */
  readonly pitch: number
  /** Side of what is painted. */
  readonly cell: number
  readonly width: number
  readonly height: number
}

const PITCH_MAX = 24
const PITCH_MIN = 4
/** Below this side, a gap would be more than the cell. */
const GAP_FROM_PITCH = 5

/**
 * The largest cells with which `units` fit into the width and, if they can, the height; very many units make a taller grid.
 */
export function gridGeometry(units: number, box: { readonly width: number; readonly height: number }): GridGeometry {
  const width = Math.max(PITCH_MAX, Math.floor(box.width))
  let pitch = PITCH_MAX
  while (pitch > PITCH_MIN && Math.ceil(units / Math.floor(width / pitch)) * pitch > box.height) pitch--
  const columns = Math.max(1, Math.min(units, Math.floor(width / pitch)))
  const rows = Math.max(1, Math.ceil(units / columns))
  const gap = pitch >= GAP_FROM_PITCH ? (pitch >= 12 ? 2 : 1) : 0
  return { columns, rows, pitch, cell: pitch - gap, width: columns * pitch, height: rows * pitch }
}

/** The unit at a point, or `null` beside the cells. */
export function unitAt(geometry: GridGeometry, units: number, x: number, y: number): number | null {
  const column = Math.floor(x / geometry.pitch)
  const row = Math.floor(y / geometry.pitch)
  if (column < 0 || row < 0 || column >= geometry.columns) return null
  const unit = row * geometry.columns + column
  return unit < units ? unit : null
}

/** The unit a key moves to from `unit`; `null` when the key does not move. */
export function moveTo(key: string, unit: number, units: number, geometry: GridGeometry): number | null {
  const page = geometry.columns * 10
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: unit + 1,
    ArrowLeft: unit - 1,
    ArrowDown: unit + geometry.columns,
    ArrowUp: unit - geometry.columns,
    PageDown: unit + page,
    PageUp: unit - page,
    Home: 0,
    End: units - 1,
  }
  const next = steps[key]
  return next === undefined ? null : Math.max(0, Math.min(units - 1, next))
}
