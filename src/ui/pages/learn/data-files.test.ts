import { describe, expect, it } from 'vitest'
import { type FileFace, guessLabelColumn, pictureLabel, sortFiles } from './data-files.ts'

const face = (path: string, head: readonly number[] = [], type = ''): FileFace => ({
  path,
  type,
  head: Uint8Array.from(head),
})

describe('sortFiles', () => {
  it('tells a table, two IDX files in any order, and pictures', () => {
    expect(sortFiles([face('wine.csv')])).toEqual({ kind: 'csv', file: 0 })
    expect(sortFiles([face('b', [0, 0, 8, 1]), face('a', [0, 0, 8, 3])])).toEqual({ kind: 'idx', images: 1, labels: 0 })
    expect(sortFiles([face('x-idx3-ubyte.gz'), face('x-idx1-ubyte.gz')])).toEqual({ kind: 'idx', images: 0, labels: 1 })
    expect(sortFiles([face('.DS_Store'), face('cat-1.png'), face('dog-1.jpg')])).toEqual({
      kind: 'pictures',
      pictures: [1, 2],
      labels: ['cat', 'dog'],
    })
  })

  it.each([
    [[face('a.csv'), face('b.csv')], 'choose one'],
    [[face('a.csv'), face('cat-1.png')], 'different kinds'],
    [[face('a', [0, 0, 8, 3])], '1 with pictures and 0 with labels'],
    [[face('a.pdf')], '“a.pdf” is no CSV table'],
    [[face('picture.png')], '“picture.png” does not say what it shows'],
    [[], 'There is no CSV table'],
  ])('says what is wrong with %#', (files, words) => {
    expect(() => sortFiles(files)).toThrow(words)
  })
})

describe('pictureLabel', () => {
  it('takes the folder of the class, else the beginning of the name', () => {
    expect(pictureLabel('pets/cat/1.png')).toBe('cat')
    expect(pictureLabel('pets/cat-1.png')).toBe('cat')
    expect(pictureLabel('7_0031.png')).toBe('7')
    expect(pictureLabel('cat12.jpg')).toBe('cat')
    expect(pictureLabel('12.jpg')).toBeNull()
    expect(pictureLabel('-1.jpg')).toBeNull()
  })
})

describe('guessLabelColumn', () => {
  it('knows usual names, else takes the last column', () => {
    expect(guessLabelColumn(['Species', 'length'])).toBe('Species')
    expect(guessLabelColumn(['length', 'kind'])).toBe('kind')
  })
})
