import { CHARGE_MAX } from './meter-layout.ts'

/** The cell that collects the cost of unreachable code; never charged. */
export const CELL_DEAD = 0
/** The cell charged on entering the function. */
export const CELL_ENTRY = 1

/** A cell is closed when it reaches this, leaving room for what it absorbs. */
const CELL_GAS_MAX = 30_000

/**
 * The most gas that one cell takes over from cells that run less often than it, and the largest such cell: charging a few
 * units too many where a branch is not taken is cheaper than a charge of its own. Never too few.
 */
const ABSORBED_GAS_MAX = 24
const ABSORBABLE_GAS_MAX = 8

/**
 * Splits a function into *cells*, sets of instructions that are charged together before the first of them runs.
 *
 * A cell is a set of basic blocks that run equally often: code after a block that nothing jumps out of belongs to the cell
 * from before it. Each cell has one charge in the code, at the place where it was opened.
 */
export class ChargeCells {
  #cost = new Int32Array(256)
  #parent = new Int32Array(256)
  #kind = new Uint8Array(256)
  #absorbed = new Uint8Array(256)
  readonly #loops: LoopCells[] = []
  count = 0
  current = CELL_DEAD

  reset(): void {
    this.count = 0
    this.#loops.length = 0
    this.#add(CELL_DEAD, KIND_FIXED)
    this.current = this.#add(CELL_DEAD, KIND_FIXED | KIND_TESTED)
  }

  /** Opens a cell that runs at most as often as `parent` and makes it current. */
  open(parent: number, tested: boolean): number {
    this.current = this.#add(parent, tested ? KIND_TESTED : 0)
    return this.current
  }

  /** Opens the cell of a loop's header: it runs more often than what is around it, and always tests. */
  openLoop(): number {
    this.current = this.#add(CELL_DEAD, KIND_FIXED | KIND_TESTED)
    this.#cost[this.current] = 1 // so that every turn of every loop is charged
    return this.current
  }

  /** Opens a cell that must keep its own charge. */
  openFixed(): number {
    this.current = this.#add(CELL_DEAD, KIND_FIXED | KIND_TESTED)
    return this.current
  }

  /** Adds to the current cell. @returns Whether the cell is full and another must be opened. */
  add(gas: number): boolean {
    const cost = (this.#cost[this.current] as number) + gas // in range: current is a cell
    this.#cost[this.current] = cost
    return cost > CELL_GAS_MAX && this.current !== CELL_DEAD
  }

  cost(cell: number): number {
    return this.#cost[cell] as number // in range: asked only for cells of this function
  }

  tested(cell: number): boolean {
    return ((this.#kind[cell] as number) & KIND_TESTED) !== 0 // in range, as above
  }

  /**
   * Notes a loop whose turns all end by a jump from cell `back`. Then each run of `header` is either the first, which follows
   * `before`, or follows `back`: its cost can be charged there, and a turn has one charge instead of two.
   */
  rotate(loop: LoopCells): void {
    if (loop.back !== loop.header) this.#loops.push(loop)
  }

  /** Moves small cells into the ones they hang from. To be called once, after the whole function has been seen. */
  settle(): void {
    const absorbed = this.#absorbed.fill(0, 0, this.count)
    for (let cell = this.count - 1; cell > CELL_ENTRY; cell--) {
      if (((this.#kind[cell] as number) & KIND_FIXED) !== 0) continue
      const cost = this.#cost[cell] as number
      if (cost === 0 || cost > ABSORBABLE_GAS_MAX) continue
      const parent = this.#parent[cell] as number
      if (parent === CELL_DEAD || (this.#cost[parent] as number) + ABSORBED_GAS_MAX > CHARGE_MAX) continue
      const total = (absorbed[parent] as number) + cost
      if (total > ABSORBED_GAS_MAX) continue
      absorbed[parent] = total
      this.#cost[parent] = (this.#cost[parent] as number) + cost
      this.#cost[cell] = 0
    }
    // Inner loops first, as they were noted: what they move into an outer header moves on with it.
    for (const loop of this.#loops) this.#settleLoop(loop)
  }

  #settleLoop({ header, back, before }: LoopCells): void {
    const cost = this.#cost[header] as number // in range, as are the others
    const backCost = this.#cost[back] as number
    const beforeCost = this.#cost[before] as number
    // A body taken over by its header needs no moving; and no cell may grow past what one charge can hold.
    if (backCost === 0 || before === CELL_DEAD || Math.max(backCost, beforeCost) + cost > CHARGE_MAX) return
    this.#cost[back] = backCost + cost
    this.#cost[before] = beforeCost + cost
    this.#cost[header] = 0
    this.#kind[back] = (this.#kind[back] as number) | KIND_TESTED
  }

  #add(parent: number, kind: number): number {
    const cell = this.count++
    if (cell === this.#cost.length) this.#grow()
    this.#cost[cell] = 0
    this.#parent[cell] = parent
    this.#kind[cell] = kind
    return cell
  }

  #grow(): void {
    const size = this.#cost.length * 2
    const cost = new Int32Array(size)
    cost.set(this.#cost)
    this.#cost = cost
    const parent = new Int32Array(size)
    parent.set(this.#parent)
    this.#parent = parent
    const kind = new Uint8Array(size)
    kind.set(this.#kind)
    this.#kind = kind
    this.#absorbed = new Uint8Array(size)
  }
}

interface LoopCells {
  readonly header: number
  readonly back: number
  readonly before: number
}

/** Not to be absorbed. */
const KIND_FIXED = 1
/** The charge is followed by a test of the guards. */
const KIND_TESTED = 2
