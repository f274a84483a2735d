import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leadingZeroBits, nonceBytes } from '../../core/admission/ticket.ts'
import { toHex } from '../../core/codec/bytes.ts'
import { buildKernel, KERNELS } from '../build-kernels.node.ts'
import { loadArgon2id } from './load.node.ts'

const kernel = await loadArgon2id()

describe('the kernel', () => {
  it('agrees with another implementation, whatever the password, salt, memory and passes', () => {
    const inputs = fc.record({
      password: fc.uint8Array({ minLength: 0, maxLength: 200 }),
      salt: fc.uint8Array({ minLength: 8, maxLength: 200 }),
      memoryKibibytes: fc.integer({ min: 8, max: 160 }),
      passes: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(inputs, ({ password, salt, memoryKibibytes, passes }) => {
        const expected = nobleArgon2id(password, salt, { m: memoryKibibytes, t: passes, p: 1, dkLen: 32 })
        expect(toHex(kernel.hash({ password, salt, memoryKibibytes, passes }))).toBe(toHex(expected))
      }),
      { numRuns: 60 },
    )
  })

  it('gives the same tag again after tags with more and with less memory', () => {
    const of = (memoryKibibytes: number): string =>
      toHex(kernel.hash({ password: nonceBytes(7n), salt: new Uint8Array(32), memoryKibibytes, passes: 1 }))
    const first = of(64)
    of(512)
    of(8)
    expect(of(64)).toBe(first)
  })

  it('mines the first nonce whose tag has enough zero bits, and tries no more', () => {
    const work = { challenge: new Uint8Array(32).fill(3), memoryKibibytes: 64, passes: 1, difficultyBits: 6 }
    const bitsOf = (nonce: bigint): number => {
      const { challenge: salt, memoryKibibytes, passes } = work
      return leadingZeroBits(kernel.hash({ password: nonceBytes(nonce), salt, memoryKibibytes, passes }))
    }
    let expected = 0n
    while (bitsOf(expected) < work.difficultyBits) expected++
    expect(kernel.mine(work, 0n, 10_000)).toEqual({ hashes: Number(expected) + 1, found: expected })
    expect(kernel.mine(work, 0n, Number(expected))).toEqual({ hashes: Number(expected), found: null })
  })

  it.skipIf(!existsSync('/usr/bin/clang'))('is what its source compiles to', () => {
    const output = join(mkdtempSync(join(tmpdir(), 'starling-kernel-')), 'argon2id.wasm')
    buildKernel(KERNELS.argon2id, output)
    const committed = readFileSync(new URL('./kernel/argon2id.wasm', import.meta.url))
    // Compilers of other versions give other bytes; those of one version the same.
    expect(readFileSync(output).length).toBeGreaterThan(0)
    expect(WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(output)))).toEqual(
      WebAssembly.Module.exports(new WebAssembly.Module(committed)),
    )
  })
})
