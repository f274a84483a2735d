import type { UnitGrid } from '../../../node/contract.ts'
import { UNIT_STATES, type UnitState } from '../../format/states.ts'
import { UNIT_SHAPES } from '../../parts/state-mark.tsx'
import type { GridGeometry } from './grid-geometry.ts'

export type ColourBy = 'state' | 'peer'

/** Smaller cells show colour alone; the inspector and the legend have the words. */
const SIGN_FROM_CELL = 9
const PEER_COLOURS = 12

/**
 * Paints units into one canvas: every state once into a sheet of cells, then a copy of pixels for each unit that changed.
 */
export class GridPainter {
  readonly #context: CanvasRenderingContext2D
  readonly #canvas: HTMLCanvasElement
  #sheet: HTMLCanvasElement | null = null
  #geometry: GridGeometry | null = null
  #scale = 1
  #by: ColourBy = 'state'

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('This browser cannot draw on a canvas')
    this.#context = context
    this.#canvas = canvas
  }

  /** Sizes the canvas and draws the sheet again; call it too when the theme changes. */
  resize(geometry: GridGeometry, by: ColourBy): void {
    this.#geometry = geometry
    this.#by = by
    this.#scale = Math.min(2, devicePixelRatio || 1)
    this.#canvas.width = Math.round(geometry.width * this.#scale)
    this.#canvas.height = Math.round(geometry.height * this.#scale)
    this.#canvas.style.width = `${geometry.width}px`
    this.#canvas.style.height = `${geometry.height}px`
    this.#sheet = this.#drawSheet(geometry.cell)
  }

  /** Paints the units of `changed`, or all of them. */
  paint(grid: UnitGrid, changed: readonly number[] | null): void {
    if (changed === null) {
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height)
      for (let unit = 0; unit < grid.states.length; unit++) this.#paintUnit(grid, unit)
      return
    }
    for (const unit of changed) this.#paintUnit(grid, unit)
  }

  #paintUnit(grid: UnitGrid, unit: number): void {
    const geometry = this.#geometry
    const sheet = this.#sheet
    if (geometry === null || sheet === null) return
    const side = Math.round(geometry.cell * this.#scale)
    const x = Math.round((unit % geometry.columns) * geometry.pitch * this.#scale)
    const y = Math.round(Math.floor(unit / geometry.columns) * geometry.pitch * this.#scale)
    this.#context.clearRect(x, y, side, side)
    this.#context.drawImage(sheet, this.#sheetColumn(grid, unit) * side, 0, side, side, x, y, side, side)
  }

  #sheetColumn(grid: UnitGrid, unit: number): number {
    const state = grid.states[unit] ?? 0
    const executor = grid.executors[unit] ?? 0
    if (this.#by === 'state' || state === 0 || executor === 0) return state
    return UNIT_STATES.length + ((executor - 1) % PEER_COLOURS)
  }

  #drawSheet(cell: number): HTMLCanvasElement {
    const side = Math.round(cell * this.#scale)
    const sheet = document.createElement('canvas')
    sheet.width = side * (UNIT_STATES.length + PEER_COLOURS)
    sheet.height = side
    const context = sheet.getContext('2d')
    if (context === null) return sheet
    const style = getComputedStyle(this.#canvas)
    const token = (name: string): string => style.getPropertyValue(name).trim()
    UNIT_STATES.forEach((state, at) => {
      drawCell(context, { x: at * side, side, colour: token(`--state-${state}`), state, mark: token('--state-mark') })
    })
    for (let peer = 0; peer < PEER_COLOURS; peer++) {
      context.fillStyle = token(`--peer-${peer}`)
      roundRect(context, (UNIT_STATES.length + peer) * side, side)
      context.fill()
    }
    return sheet
  }
}

interface CellLook {
  readonly x: number
  readonly side: number
  readonly colour: string
  readonly mark: string
  readonly state: UnitState
}

function drawCell(context: CanvasRenderingContext2D, { x, side, colour, mark, state }: CellLook): void {
  const shape = UNIT_SHAPES[state]
  if (!shape.fill) {
    context.strokeStyle = colour
    context.lineWidth = Math.max(1, side / 10)
    const inset = context.lineWidth / 2
    roundRect(context, x + inset, side - 2 * inset, inset)
    context.stroke()
    return
  }
  context.fillStyle = colour
  roundRect(context, x, side)
  context.fill()
  if (shape.mark === '' || side < SIGN_FROM_CELL) return
  context.save()
  context.translate(x, 0)
  context.scale(side / 12, side / 12)
  context.fillStyle = mark
  context.fill(new Path2D(shape.mark))
  context.restore()
}

function roundRect(context: CanvasRenderingContext2D, x: number, side: number, y = 0): void {
  context.beginPath()
  context.roundRect(x, y, side, side, Math.min(4, side / 6))
}
