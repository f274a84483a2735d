import { describe, expect, test } from 'vitest'
import { RandomStream } from './random.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function take(stream: RandomStream, ...sizes: number[]): Uint8Array {
  return Buffer.concat(
    sizes.map((size) => {
      const part = new Uint8Array(size).fill(0xee)
      stream.fill(part)
      return part
    }),
  )
}

describe('RandomStream', () => {
  test('gives the key stream of RFC 8439, appendix A.1, test vectors 1 and 2', () => {
    expect(hex(take(new RandomStream(new Uint8Array(32)), 128))).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
        '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    )
  })

  test('gives the same bytes however they are asked for', () => {
    const seed = new Uint8Array(32).map((_, i) => i * 7)
    const whole = take(new RandomStream(seed), 5000)
    expect(take(new RandomStream(seed), 1, 63, 64, 65, 255, 256, 257, 0, 3, 1000, 3036)).toEqual(whole)
    expect(take(new RandomStream(seed), ...new Array(5000).fill(1))).toEqual(whole)
  })
})
