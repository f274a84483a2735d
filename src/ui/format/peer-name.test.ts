import { describe, expect, it } from 'vitest'
import { identicon, NAME_LISTS, peerName } from './peer-name.ts'

const ID = '12D3KooWGRUFSVEjh8gGLHzHLyGQRrbKPTXVBkrHEjuZwpQYmXzW'

describe('peerName', () => {
  it('draws from three lists of 128 different words each', () => {
    for (const list of NAME_LISTS) expect(new Set(list).size).toBe(128)
    expect(new Set(NAME_LISTS.flat()).size).toBe(384)
  })

  it('is the same for the same key and three known words', () => {
    expect(peerName(ID)).toBe(peerName(ID))
    peerName(ID)
      .split(' ')
      .forEach((word, at) => {
        expect(NAME_LISTS[at]).toContain(word)
      })
  })

  it('spreads: of 1,000 peers few share a name', () => {
    const names = new Set(Array.from({ length: 1_000 }, (_, i) => peerName(`${ID}${i}`)))
    expect(names.size).toBeGreaterThan(990)
  })
})

describe('identicon', () => {
  it('is mirrored left to right', () => {
    const { cells } = identicon(ID)
    for (let y = 0; y < 5; y++) {
      for (let x = 0; x < 5; x++) expect(cells[y * 5 + x], `cell ${x}, ${y}`).toBe(cells[y * 5 + 4 - x])
    }
  })
})
