import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { NOW_MS, testManifest, testPeer } from '../../testing/task-fixtures.ts'
import { encode } from '../codec/cbor.ts'
import { cidOf } from '../codec/cid.ts'
import { StarlingError } from '../codec/errors.ts'
import * as limits from './limits.ts'
import { manifestHash, signManifest, validateManifest, verifyManifest } from './manifest-schema.ts'

const base = testManifest()
const file = { path: 'a/b.txt', cid: cidOf(new Uint8Array(3), 'raw'), bytes: 10 }
const resources = (change: object) => ({ resources: { ...base.resources, ...change } })
const payment = (change: object) => ({ payment: { ...base.payment, ...change } })
const verification = (change: object) => ({ verification: { ...base.verification, ...change } })
const input = (change: object) => ({ input: { ...base.input, ...change } })
const wasi = (change: object) => ({ abi: 'wasi-command', ...change })

describe('validateManifest', () => {
  it('[M1] takes a good one as it is', () => {
    expect(validateManifest(base)).toEqual(base)
  })

  it.each([
    ['version', { version: 2 }],
    ['requester', { requester: 'somebody' }],
    ['nonce', { nonce: new Uint8Array(15) }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(limits.NAME_CHARS_MAX + 1) }],
    ['name', { name: 'a\0b' }],
    ['module', { module: 'bafy' }],
    ['abi', { abi: 'emscripten' }],
    ['abi', { args: ['x'] }],
    ['args', wasi({ args: Array(limits.ARGS_MAX + 1).fill('') })],
    ['args', wasi({ args: Array(9).fill('x'.repeat(limits.ARG_CHARS_MAX)) })],
    ['args.0', wasi({ args: ['x'.repeat(limits.ARG_CHARS_MAX + 1)] })],
    ['args.1', wasi({ args: ['', 'a\0b'] })],
    ['env.0.0', wasi({ env: [['A=B', '']] })],
    ['env.0.0', wasi({ env: [['', '']] })],
    ['env.0.1', wasi({ env: [['A', '\0']] })],
    ['files', wasi({ files: Array(limits.SHARED_FILES_MAX + 1).fill(file) })],
    [
      'files',
      wasi({
        files: [
          { ...file, bytes: limits.UNIT_BYTES_MAX },
          { ...file, path: 'b' },
        ],
      }),
    ],
    ['files.0.path', wasi({ files: [{ ...file, path: '/etc/passwd' }] })],
    ['files.0.path', wasi({ files: [{ ...file, path: 'a/../b' }] })],
    ['files.1.path', wasi({ files: [file, file] })],
    ['resources.memoryBytesMax', resources({ memoryBytesMax: limits.MEMORY_BYTES_MAX + 1 })],
    ['resources.cores', resources({ cores: 0 })],
    ['resources.cores', resources({ cores: limits.CORES_MAX + 1 })],
    ['resources.wallMsMax', resources({ wallMsMax: limits.WALL_MS_MAX + 1 })],
    ['resources.wallMsMax', resources({ wallMsMax: 1.5 })],
    ['resources.stackBytesMax', resources({ stackBytesMax: limits.STACK_BYTES_MAX + 1 })],
    ['resources.gasMax', resources({ gasMax: limits.GAS_MAX + 1n })],
    ['resources.outputBytesMax', resources({ outputBytesMax: limits.UNIT_BYTES_MAX + 1 })],
    ['payment.microUnitsPerSecond', payment({ microUnitsPerSecond: -1n })],
    ['payment.microUnitsPerSecond', payment({ microUnitsPerSecond: limits.PRICE_MICRO_UNITS_MAX + 1n })],
    ['payment.microUnitsTotalMax', payment({ microUnitsTotalMax: 2n ** 63n })],
    ['serviceLevel.uptimePpmMin', { serviceLevel: { ...base.serviceLevel, uptimePpmMin: limits.PPM + 1 } }],
    ['verification.replicas', verification({ replicas: limits.REPLICAS_MAX + 1 })],
    ['verification.quorum', verification({ quorum: 0 })],
    ['verification.quorum', verification({ quorum: 2, replicas: 1 })],
    ['verification.auditPpm', verification({ auditPpm: limits.PPM + 1 })],
    ['input.mediaType', input({ mediaType: 'text' })],
    ['input.bytesMin', input({ bytesMin: 2, bytesMax: 1 })],
    ['input.description', input({ description: 'x'.repeat(limits.DESCRIPTION_CHARS_MAX + 1) })],
    ['output.bytesMax', { output: { ...base.output, bytesMax: base.resources.outputBytesMax + 1 } }],
    ['priority', { priority: limits.PRIORITY_MAX + 1 }],
    ['validUntilMs', { validUntilMs: base.validFromMs }],
    ['validUntilMs', { validUntilMs: base.validFromMs + limits.VALIDITY_MS_MAX + 1 }],
    ['surprise', { surprise: 1 }],
  ])('[M1] names %s, its value and its limit', (field, change) => {
    try {
      validateManifest({ ...base, ...change })
    } catch (error) {
      if (!(error instanceof StarlingError)) throw error
      expect(error.details.field).toBe(`manifest.${field}`)
      expect(error.details).toHaveProperty('value')
      expect(error.details).toHaveProperty('limit')
      return
    }
    expect.fail('It was taken')
  })
})

describe('manifestHash', () => {
  it('[M2] is pinned: a change of the encoding would change every job', () => {
    expect(manifestHash(base)).toBe('bc175410c550f10573642f802ef3c0c144cda445493ca0717593b8653fc3585a')
  })

  it('[M2] does not depend on the order of fields, and does on every value', () => {
    const reversed = Object.fromEntries(Object.entries(base).reverse())
    expect(manifestHash(validateManifest(reversed))).toBe(manifestHash(base))
    expect(manifestHash(testManifest({ priority: 6 }))).not.toBe(manifestHash(base))
    expect(manifestHash(testManifest({ requester: testPeer(2) }))).not.toBe(manifestHash(base))
  })
})

describe('verifyManifest', () => {
  const signer = testSigner(1)
  const manifest = testManifest({ requester: signer.author })
  const circumstances = { network: 'test', seq: 0, timestampMs: NOW_MS, nonce: new Uint8Array(16), signer }
  const options = { verifier: testVerifier, network: 'test' }

  it('[M3] gives back what was signed, and the job id', async () => {
    const { bytes } = await signManifest(manifest, circumstances)
    expect(await verifyManifest(bytes, options)).toEqual({ manifest, job: manifestHash(manifest) })
  })

  it('[M3] refuses one signed by somebody else, or for another network', async () => {
    const stranger = await signManifest(manifest, { ...circumstances, signer: testSigner(2) })
    await expect(verifyManifest(stranger.bytes, options)).rejects.toThrow('manifest.requester')
    const { bytes } = await signManifest(manifest, circumstances)
    await expect(verifyManifest(bytes, { ...options, network: 'other' })).rejects.toThrow('manifest.network is "test"')
  })

  it('[M3] refuses random and changed bytes only with named errors', { timeout: 60_000 }, async () => {
    const { bytes } = await signManifest(manifest, circumstances)
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(changes, async (edits) => {
        const changed = bytes.slice()
        for (const [at, byte] of edits) changed[at] = byte
        if (changed.every((byte, i) => byte === bytes[i])) return
        await expect(verifyManifest(changed, options)).rejects.toBeInstanceOf(StarlingError)
      }),
      { numRuns: 300 },
    )
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (random) => {
        await expect(verifyManifest(random, options)).rejects.toBeInstanceOf(StarlingError)
      }),
    )
  })

  it('[M1] never decodes the inside of an oversized one', async () => {
    await expect(verifyManifest(new Uint8Array(300_000), options)).rejects.toThrow(
      'manifest has bytes 300000, limit 262144',
    )
    await expect(
      verifyManifest(encode({ payload: encode([[[[[[[[[1]]]]]]]]]), signature: new Uint8Array(64) }), options),
    ).rejects.toThrow('manifest has depth 9, limit 8')
  })
})
