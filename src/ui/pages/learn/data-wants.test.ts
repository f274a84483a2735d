import { describe, expect, it } from 'vitest'
import type { LearningTaskDetail } from '../../../node/learning-contract.ts'
import { isDigits, pictureSideOf, wantsOf } from './data-wants.ts'

const CLASSES = [...'0123456789']
const task = (change: object): LearningTaskDetail =>
  ({
    architecture: { kind: 'mlp', inputs: 196, hidden: [], outputs: 10 },
    classes: CLASSES,
    table: null,
    options: { participantsTarget: 3 },
    ...change,
  }) as LearningTaskDetail

describe('wantsOf', () => {
  it('offers shares of the bundled digits where they fit', () => {
    expect(wantsOf(task({}))).toMatchObject({ bundled: { shares: 8 }, files: 'pictures', side: 14, inputs: 196 })
    expect(wantsOf(task({ options: { participantsTarget: 20 } })).bundled).toEqual({ shares: 20 })
    expect(wantsOf(task({ classes: ['a', 'b'] })).bundled).toBeNull()
    const large = { kind: 'mlp', inputs: 784, hidden: [], outputs: 10 }
    expect(wantsOf(task({ architecture: large }))).toMatchObject({ bundled: null, side: 28 })
  })

  it('asks for the table of a task of tables', () => {
    const table = { columns: [], label: { name: 'species', values: CLASSES } }
    expect(wantsOf(task({ table }))).toMatchObject({ files: 'table', label: 'species', bundled: null, side: null })
  })
})

describe('pictureSideOf', () => {
  it('knows square pictures only', () => {
    expect(pictureSideOf(task({ architecture: { kind: 'mlp', inputs: 195, hidden: [], outputs: 10 } }))).toBeNull()
    expect(pictureSideOf(task({ architecture: { kind: 'conv', width: 12, height: 12 } }))).toBe(12)
    expect(pictureSideOf(task({ architecture: { kind: 'conv', width: 12, height: 14 } }))).toBeNull()
    expect(isDigits({ classes: ['0', '1'] })).toBe(false)
  })
})
