import { describe, expect, it } from 'vitest'
import { gridGeometry, moveTo, unitAt } from './grid-geometry.ts'

const BOX = { width: 470, height: 340 }

describe('gridGeometry', () => {
  it.each([1, 48, 200, 2_000, 5_000])('fits %d units into the box', (units) => {
    const { columns, rows, width, height } = gridGeometry(units, BOX)
    expect(columns * rows).toBeGreaterThanOrEqual(units)
    expect(width).toBeLessThanOrEqual(BOX.width)
    expect(height).toBeLessThanOrEqual(BOX.height)
  })

  it('grows downwards when even the smallest cells do not fit', () => {
    const { width, pitch, height } = gridGeometry(100_000, BOX)
    expect(pitch).toBe(4)
    expect(width).toBeLessThanOrEqual(BOX.width)
    expect(height).toBeGreaterThan(BOX.height)
  })
})

describe('unitAt', () => {
  it('finds every unit at the middle of its cell and nothing beside the grid', () => {
    const geometry = gridGeometry(50, BOX)
    for (let unit = 0; unit < 50; unit++) {
      const x = ((unit % geometry.columns) + 0.5) * geometry.pitch
      const y = (Math.floor(unit / geometry.columns) + 0.5) * geometry.pitch
      expect(unitAt(geometry, 50, x, y), `unit ${unit}`).toBe(unit)
    }
    expect(unitAt(geometry, 50, geometry.width + 1, 0)).toBeNull()
    expect(unitAt(geometry, 50, -1, 0)).toBeNull()
    expect(unitAt(geometry, 50, geometry.width - 1, geometry.height + geometry.pitch)).toBeNull()
  })
})

describe('moveTo', () => {
  it('stays within the units and leaves other keys alone', () => {
    const geometry = gridGeometry(100, BOX)
    expect(moveTo('ArrowLeft', 0, 100, geometry)).toBe(0)
    expect(moveTo('ArrowRight', 99, 100, geometry)).toBe(99)
    expect(moveTo('ArrowDown', 0, 100, geometry)).toBe(geometry.columns)
    expect(moveTo('End', 3, 100, geometry)).toBe(99)
    expect(moveTo('Tab', 3, 100, geometry)).toBeNull()
  })
})
