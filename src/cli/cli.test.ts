import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { peerIdOf } from '../core/identity/peer-id.ts'
import { encodeReceiptBundle, signAttestation, signReceipt } from '../core/tasks/receipt-codec.ts'
import type { ResultItem } from '../node/contract.ts'
import { makeVolatileDeviceKey } from '../storage/device-key-file.node.ts'
import { runStarling } from '../testing/run-starling.ts'
import { itemsOf, verdictsOf } from './evidence.ts'
import { exitCodeOf } from './exit-codes.ts'
import { durationText } from './job-progress.ts'
import { bytes, decimal, httpUrl, whole } from './option-parsers.ts'
import { folderOutput } from './outputs.ts'

const COLLATZ = fileURLToPath(new URL('../../examples/collatz/collatz.wasm', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'starling-cli-'))

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Receipts of two units by one executor, the first attested by another. */
async function receiptFile(): Promise<{ file: Uint8Array; executor: string; other: string }> {
  const [key, otherKey] = [await makeVolatileDeviceKey(), await makeVolatileDeviceKey()]
  const signerOf = (from: typeof key) => ({ author: peerIdOf(from.publicKey), sign: from.sign })
  const options = (from: typeof key, seq: number) => ({
    signer: signerOf(from),
    network: 'test',
    seq,
    timestampMs: 1_000,
    nonce: new Uint8Array(16).fill(seq),
  })
  const hash = 'ab'.repeat(32) as never
  const receiptOf = (unit: number) => ({
    manifest: hash,
    unit,
    inputHash: hash,
    outputHash: hash,
    success: true,
    exitCode: 0,
    trap: null,
    gas: 1_000n,
    durationUs: 2_000,
    memoryBytesPeak: 65_536,
    startedAtMs: 1_000,
    costMicroUnits: 0n,
  })
  const first = await signReceipt(receiptOf(0), options(key, 1))
  const second = await signReceipt(receiptOf(1), options(key, 2))
  const attestation = await signAttestation({ manifest: hash, receipts: [first.hash] }, options(otherKey, 1))
  const bundles = [
    encodeReceiptBundle({ receipt: first.bytes, attestations: [attestation.bytes] }),
    encodeReceiptBundle({ receipt: second.bytes, attestations: [] }),
  ]
  return { file: Buffer.concat(bundles), executor: signerOf(key).author, other: signerOf(otherKey).author }
}

describe('evidence', () => {
  it('is cut into its receipts, each verified with who attested it', async () => {
    const { file, executor, other } = await receiptFile()
    expect([...itemsOf(file)]).toHaveLength(2)
    const verdicts = await Array.fromAsync(verdictsOf(file))
    expect(verdicts).toMatchObject([
      { valid: true, executor, attesters: [other], receipt: { unit: 0 } },
      { valid: true, executor, attesters: [], receipt: { unit: 1 } },
    ])
  })
  it('never passes with any byte changed, and always ends', async () => {
    const { file } = await receiptFile()
    for (let at = 0; at < file.length; at += 7) {
      const changed = Uint8Array.from(file)
      changed[at] = (changed[at] ?? 0) ^ 0x10
      const verdicts = await Array.fromAsync(verdictsOf(changed))
      expect(
        verdicts.some((verdict) => !verdict.valid),
        `byte ${at}`,
      ).toBe(true)
    }
  })
})

describe('starling verify', () => {
  it('ends with 0 when all are valid, with 1 when one is not, and needs no network', async () => {
    const { file, executor } = await receiptFile()
    const good = join(dir, 'good.cbor')
    const bad = join(dir, 'bad.cbor')
    writeFileSync(good, file)
    writeFileSync(bad, file.subarray(0, file.length - 1))
    const fine = await runStarling(['verify', good])
    expect(fine.stdout).toContain(`receipt 1: valid, unit 0 by ${executor}, success, 1 attested`)
    expect(fine.code).toBe(0)
    const mixed = await runStarling(['verify', '--json', good, bad])
    expect(mixed.code).toBe(1)
    const lines = mixed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ valid }) => valid)).toEqual([true, true, true, false])
    expect(mixed.stderr).toContain('3 valid, 1 not')
  })
})

describe('starling inspect', () => {
  it('shows what a module asks for', async () => {
    const { code, stdout } = await runStarling(['inspect', '--json', COLLATZ])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ bytes: readFileSync(COLLATZ).length, functions: expect.any(Number) })
  })
  it('refuses a broken module with its offset, as wrong use', async () => {
    const broken = join(dir, 'broken.wasm')
    writeFileSync(broken, readFileSync(COLLATZ).subarray(0, 100))
    const { code, stderr } = await runStarling(['inspect', broken])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^starling: .+/)
    expect(stderr).not.toContain('    at ')
  })
})

describe('wrong use', () => {
  it.each([
    [['run', COLLATZ], "required option '--inputs <source>'"],
    [['run', join(dir, 'none.wasm'), '--inputs', '1..2'], 'none.wasm: no such file'],
    [['run', COLLATZ, '--inputs', '2..1'], '--inputs is 2..1'],
    [['run', COLLATZ, '--inputs', '1..2', '--input-as', 'env'], 'Allowed choices are stdin, args, file'],
    [['run', COLLATZ, '--inputs', '1..2', '--memory', '5TB'], 'Wanted a size such as 64MiB'],
    [['run', COLLATZ, '--inputs', '1..2', '--relay', 'localhost'], 'Wanted a URL'],
    [['swarm', '--nodes', '0'], 'Wanted a whole number from 1'],
    [['relay', '--tls-cert', 'x.pem'], '--tls-cert and --tls-key go together'],
    [['verify'], "missing required argument 'receipts'"],
    [['compute'], "unknown command 'compute'"],
  ])('%j ends with 2 and names it', async (args, message) => {
    const { code, stdout, stderr } = await runStarling(args)
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(stdout).toBe('')
  })
  it('is told apart from a relay that is not there', async () => {
    const { code, stderr } = await runStarling(['run', COLLATZ, '--inputs', '1..2', '--relay', 'http://127.0.0.1:9'])
    expect(stderr).toMatch(/^starling: .*127\.0\.0\.1:9/)
    expect(code).toBe(3)
  })
})

it('every command explains itself', async () => {
  for (const command of ['start', 'relay', 'peer', 'run', 'swarm', 'inspect', 'verify']) {
    const { code, stdout } = await runStarling([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('--json')
  }
})

describe('folderOutput', () => {
  it('writes each unit, its files, a line for each, and the receipts', async () => {
    const folder = join(dir, 'out')
    const output = folderOutput(folder, 3)
    const text = (value: string) => new TextEncoder().encode(value)
    const item: ResultItem = {
      unit: 2,
      executor: 'peer',
      agreeing: 2,
      outcome: {
        exitCode: 0,
        trap: null,
        stdout: text('out'),
        stderr: text('err'),
        files: [{ path: 'a/b.txt', content: text('file') }],
      },
    }
    await output.write(item)
    await output.write({
      ...item,
      unit: 0,
      outcome: { ...item.outcome, stderr: text(''), files: [{ path: '../../escape', content: text('x') }] },
    })
    output.receipts(new Uint8Array([1]))
    expect(readFileSync(join(folder, '000002.stdout'), 'utf8')).toBe('out')
    expect(readFileSync(join(folder, '000002.stderr'), 'utf8')).toBe('err')
    expect(readFileSync(join(folder, '000002/a/b.txt'), 'utf8')).toBe('file')
    expect(existsSync(join(folder, '000000.stderr'))).toBe(false)
    expect(existsSync(join(dir, 'escape'))).toBe(false)
    const lines = readFileSync(join(folder, 'results.jsonl'), 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).unit)).toEqual([2, 0])
    expect(readFileSync(join(folder, 'receipts.cbor'))).toHaveLength(1)
  })
})

describe('options', () => {
  it('take what is in bounds and name what is wanted', () => {
    expect(whole(0, 5)('5')).toBe(5)
    for (const text of ['6', '-1', '1.5', '', '1e0', 'x']) expect(() => whole(0, 5)(text), text).toThrow('from 0 to 5')
    expect(decimal(0.1, 1)('0.5')).toBe(0.5)
    for (const text of ['0', '1.1', '', 'NaN']) expect(() => decimal(0.1, 1)(text), text).toThrow('from 0.1 to 1')
    expect(bytes(1 << 30)('64MiB')).toBe(64 * 1024 * 1024)
    for (const text of ['0', '2GiB', '1MB', '-1', '']) expect(() => bytes(1 << 30)(text), text).toThrow('such as 64MiB')
    expect(httpUrl('http://localhost:4000')).toBe('http://localhost:4000/')
    for (const text of ['localhost:4000', 'ws://x', '']) expect(() => httpUrl(text), text).toThrow('Wanted a URL')
  })
})

it('exit codes tell causes apart', () => {
  const named = (name: string) => Object.assign(new Error('x'), { name })
  expect(
    ['UsageError', 'InvalidModuleError', 'ListenError', 'JobEndedError', 'InterruptedError', 'TypeError'].map((name) =>
      exitCodeOf(named(name)),
    ),
  ).toEqual([2, 2, 3, 1, 130, 1])
})

it('durations have at most three digits and a unit', () => {
  expect([840.4, 12_345, 245_000, 7_380_000].map(durationText)).toEqual(['840 ms', '12.3 s', '4 min 5 s', '2 h 3 min'])
})
