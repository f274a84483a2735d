import { describe, expect, it } from 'vitest'
import { bytes, count, duration, money, percent, percentOf, rate, shortId, significant } from './number.ts'

/** Numbers and units are joined by a no-break space. */
const plain = (text: string): string => text.replaceAll(/[  ]/g, ' ')

describe('significant', () => {
  it.each([
    [0, '0'],
    [0.012_345, '0.0123'],
    [4.2, '4.2'],
    [143.4, '143'],
    [12_345, '12,300'],
    [Number.NaN, '–'],
  ])('shows %d with at most three digits', (value, text) => expect(significant(value)).toBe(text))
})

describe('units', () => {
  it.each([
    [9_999, '9,999'],
    [12_345, '12.3 k'],
    [4_560_000, '4.56 M'],
    [400_000_000_000, '400 G'],
  ])('count shows %d as %s', (value, text) => expect(plain(count(value))).toBe(text))

  it.each([
    [512, '512 B'],
    [4_096, '4 KiB'],
    [1_310_720, '1.25 MiB'],
    [2 ** 31, '2 GiB'],
  ])('bytes shows %d as %s', (value, text) => expect(plain(bytes(value))).toBe(text))

  it.each([
    [0.42, '0.42 ms'],
    [240, '240 ms'],
    [999.6, '1 s'],
    [4_200, '4.2 s'],
    [210_000, '3.5 min'],
    [7_560_000, '2.1 h'],
    [3 * 86_400_000, '3 d'],
  ])('duration shows %d ms as %s', (value, text) => expect(plain(duration(value))).toBe(text))

  it('money changes from micro-units to units', () => {
    expect(plain(money(12n))).toBe('12 µ')
    expect(plain(money(12_345n))).toBe('0.0123 units')
    expect(plain(money(1_000_000n))).toBe('1 unit')
  })

  it('rate turns slow things into minutes', () => {
    expect(plain(rate(12.34, 'units'))).toBe('12.3 units/s')
    expect(plain(rate(0.1, 'units'))).toBe('6 units/min')
    expect(plain(rate(0, 'units'))).toBe('0 units/s')
  })
})

describe('percent', () => {
  it('says 100 % only of all', () => {
    expect(plain(percent(1))).toBe('100 %')
    expect(plain(percentOf(1_999_999, 2_000_000))).toBe('99.9 %')
    expect(percentOf(0, 0)).toBe('–')
  })
})

describe('shortId', () => {
  it('keeps both ends of what is long', () => {
    expect(shortId('abcdef')).toBe('abcdef')
    expect(shortId('abcdefghijklmnopqrstuvwxyz')).toBe('abcdef…uvwxyz')
  })
})
