import { randomBytes } from 'node:crypto'
import { encode } from '../src/core/codec/cbor.ts'
import { cidOf } from '../src/core/codec/cid.ts'
import type { JobId, PeerId } from '../src/core/codec/ids.ts'
import { peerIdOf } from '../src/core/identity/peer-id.ts'
import type { Signer } from '../src/core/identity/ports.ts'
import { Executor } from '../src/core/tasks/executor.ts'
import type { ExecutorEffect, ExecutorEvent } from '../src/core/tasks/executor-events.ts'
import type { Manifest } from '../src/core/tasks/manifest.ts'
import { manifestHash, signManifest, validateManifest } from '../src/core/tasks/manifest-schema.ts'
import { isFromRequester } from '../src/core/tasks/message-codec.ts'
import type { ExecutorMessage, RequesterMessage } from '../src/core/tasks/messages.ts'
import { costOf } from '../src/core/tasks/pricing.ts'
import type { Receipt, SignedReceipt } from '../src/core/tasks/receipt.ts'
import { signReceipt, verifyReceipt } from '../src/core/tasks/receipt-codec.ts'
import { Requester } from '../src/core/tasks/requester.ts'
import type { RequesterEffect, RequesterEvent } from '../src/core/tasks/requester-events.ts'
import { seededRng } from '../src/core/tasks/rng.ts'
import { encodeOutcome, inputHash, outputHash } from '../src/core/tasks/unit-data.ts'
import { PlatformVerifier } from '../src/node/verifier.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

/** Runs of a timed body; the median of them is reported. */
const RUNS = 15
/** Times the body is repeated in one run. */
const REPEATS = 200

/** The published figure to beat: everything about manifests and receipts within a millisecond. */
const TARGET_MS = 1

const NOW_MS = 1_800_000_000_000

async function timeMs(body: () => unknown): Promise<number> {
  const samples: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    for (let i = 0; i < REPEATS; i++) await body()
    samples.push((performance.now() - start) / REPEATS)
  }
  return median(samples)
}

/** A key like a device's: in WebCrypto, non-extractable. */
async function deviceSigner(): Promise<Signer> {
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return {
    author: peerIdOf(publicKey),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, new Uint8Array(bytes))),
  }
}

function benchManifest(requester: PeerId, unitBytesMax = 1_000_000): Manifest {
  const data = { mediaType: 'application/octet-stream', bytesMin: 0, bytesMax: unitBytesMax, description: 'Any bytes' }
  return {
    version: 1,
    requester,
    nonce: new Uint8Array(16),
    name: 'mandelbrot',
    module: cidOf(Uint8Array.of(0, 0x61, 0x73, 0x6d), 'raw'),
    abi: 'wasi-command',
    args: ['--width', '256', '--height', '256'],
    env: [['LANG', 'C.UTF-8']],
    files: [{ path: 'scene/world.txt', cid: cidOf(Uint8Array.of(1), 'raw'), bytes: 4_096 }],
    resources: {
      memoryBytesMax: 2 ** 27,
      cores: 1,
      wallMsMax: 30_000,
      stackBytesMax: 2 ** 18,
      gasMax: 10n ** 11n,
      outputBytesMax: unitBytesMax,
    },
    payment: { microUnitsPerSecond: 1_000n, microUnitsPerMebibyte: 20n, microUnitsTotalMax: 100_000n },
    serviceLevel: { uptimePpmMin: 0, failurePpmMax: 1_000_000, reputationPpmMin: 0 },
    verification: { replicas: 1, quorum: 1, auditPpm: 0, speculation: true },
    input: data,
    output: data,
    priority: 5,
    validFromMs: NOW_MS - 60_000,
    validUntilMs: NOW_MS + 3_600_000,
  }
}

function benchReceipt(manifest: Manifest): Receipt {
  const durationUs = 48_211
  const memoryBytesPeak = 2_097_152
  return {
    manifest: manifestHash(manifest),
    unit: 17,
    inputHash: inputHash(Uint8Array.of(1)),
    outputHash: outputHash(Uint8Array.of(2)),
    success: true,
    exitCode: 0,
    trap: null,
    gas: 51_204_333n,
    durationUs,
    memoryBytesPeak,
    startedAtMs: NOW_MS,
    costMicroUnits: costOf(manifest.payment, { durationUs, memoryBytesPeak }),
  }
}

async function timeManifestsAndReceipts(): Promise<BenchLine[]> {
  const signer = await deviceSigner()
  const verifier = new PlatformVerifier()
  const manifest = benchManifest(signer.author)
  const circumstances = { network: 'bench', seq: 0, timestampMs: NOW_MS, signer }
  const receipt = benchReceipt(manifest)
  const signed = await signReceipt(receipt, { ...circumstances, nonce: randomBytes(16) })
  return [
    benchLine('manifest.validate', await timeMs(() => validateManifest(manifest)), 'ms', TARGET_MS),
    benchLine('manifest.hash', await timeMs(() => manifestHash(manifest)), 'ms', TARGET_MS),
    benchLine(
      'manifest.sign',
      await timeMs(() => signManifest(manifest, { ...circumstances, nonce: randomBytes(16) })),
      'ms',
      TARGET_MS,
    ),
    benchLine(
      'receipt.sign',
      await timeMs(() => signReceipt(receipt, { ...circumstances, nonce: randomBytes(16) })),
      'ms',
      TARGET_MS,
    ),
    benchLine(
      'receipt.verify',
      await timeMs(() => verifyReceipt(signed.bytes, { verifier, manifest })),
      'ms',
      TARGET_MS,
    ),
  ]
}

/** What a requester must manage: units of a millisecond on one worker. */
const UNITS_PER_SECOND_WANTED = 1_000
const SCHEDULER_UNITS = 20_000

/** One requester and one executor core, joined by hand: what the state machines alone cost for each unit. */
class Loop {
  readonly #peer: PeerId = peerIdOf(new Uint8Array(32).fill(7))
  readonly #requester = new Requester({ self: this.#peer, rng: seededRng(1) })
  readonly #executor: Executor
  readonly #manifest = benchManifest(this.#peer)
  readonly #job: JobId = manifestHash(this.#manifest)
  readonly #outcome = encodeOutcome({
    exitCode: 0,
    trap: null,
    stdout: new Uint8Array(8),
    stderr: new Uint8Array(0),
    files: [],
  })
  readonly #outputHash = outputHash(this.#outcome)
  #queue: (() => void)[] = []
  #nowMs = NOW_MS
  accepted = 0
  done = false

  constructor() {
    const { resources } = this.#manifest
    const least = { microUnitsPerSecondMin: 0n, microUnitsPerMebibyteMin: 0n }
    const record = { uptimePpm: 1_000_000, failurePpm: 0, reputationPpm: 1_000_000 }
    this.#executor = new Executor({
      self: this.#peer,
      capability: { abis: ['wasi-command'], ...resources, ...least, ...record },
    })
  }

  run(unitCount: number): void {
    const nowMs = this.#nowMs
    const spec = {
      manifest: this.#manifest,
      manifestCid: cidOf(encode(this.#manifest), 'dag-cbor'),
      unitCount,
      executeHere: true,
      shortage: { policy: 'wait' },
    } as const
    this.#stepExecutor({ type: 'controls', nowMs, controls: { optedIn: true, workers: 4, weights: [] } })
    this.#stepRequester({ type: 'submit', nowMs, job: this.#job, spec })
    let turns = 0
    while (!this.done) {
      const actions = this.#queue
      this.#queue = []
      for (const action of actions) action()
      // A turn of this loop stands for the millisecond that four workers need for their units.
      this.#nowMs++
      if (++turns % 10 === 0) {
        this.#stepExecutor({ type: 'tick', nowMs: this.#nowMs })
        this.#stepRequester({ type: 'tick', nowMs: this.#nowMs })
      }
    }
  }

  #stepRequester(event: RequesterEvent): void {
    for (const effect of this.#requester.step(event)) this.#performRequester(effect)
  }

  #stepExecutor(event: ExecutorEvent): void {
    for (const effect of this.#executor.step(event)) this.#performExecutor(effect)
  }

  #deliver(message: RequesterMessage | ExecutorMessage): void {
    this.#queue.push(() => {
      const from = this.#peer
      if (isFromRequester(message)) this.#stepExecutor({ type: 'message', nowMs: this.#nowMs, from, message })
      else this.#stepRequester({ type: 'message', nowMs: this.#nowMs, from, message: message as ExecutorMessage })
    })
  }

  #performRequester(effect: RequesterEffect): void {
    if (effect.type === 'send') this.#deliver(effect.message)
    if (effect.type === 'loadInputs') {
      const hash = this.#outputHash
      const inputs = effect.units.map((unit) => ({ unit, hash, bytes: 8, inline: this.#outcome }))
      const { job } = effect
      this.#queue.push(() => this.#stepRequester({ type: 'inputsLoaded', nowMs: this.#nowMs, job, inputs }))
    }
    if (effect.type !== 'emit') return
    if (effect.event.type === 'unitAccepted') this.accepted++
    if (effect.event.type === 'jobChanged') this.done = effect.event.progress.state.state === 'done'
  }

  #performExecutor(effect: ExecutorEffect): void {
    const nowMs = this.#nowMs
    const requester = this.#peer
    if (effect.type === 'send') this.#deliver(effect.message)
    if (effect.type === 'fetchManifest') {
      const { job } = effect
      this.#queue.push(() =>
        this.#stepExecutor({ type: 'manifestReady', nowMs, requester, job, manifest: this.#manifest }),
      )
    }
    if (effect.type === 'prepareModule') {
      const { job } = effect
      this.#queue.push(() => this.#stepExecutor({ type: 'moduleReady', nowMs, requester, job }))
    }
    if (effect.type === 'execute') {
      const measured = { gas: 1_000n, durationUs: 1_000, memoryBytesPeak: 65_536, startedAtMs: nowMs }
      const outcome = { outputHash: this.#outputHash, outcome: this.#outcome, exitCode: 0, trap: null }
      const { id } = effect
      this.#queue.push(() =>
        this.#stepExecutor({ type: 'executed', nowMs: this.#nowMs, id, executed: { ...outcome, ...measured } }),
      )
    }
    if (effect.type === 'signReceipts') {
      const receipts = effect.receipts.map(({ id, receipt }) => {
        // The machines never look into the bytes.
        const signed: SignedReceipt = { executor: this.#peer, receipt, hash: this.#outputHash, bytes: this.#outcome }
        return { id, signed }
      })
      this.#queue.push(() => this.#stepExecutor({ type: 'receiptsSigned', nowMs: this.#nowMs, receipts }))
    }
  }
}

function timeScheduler(): BenchLine {
  const rates: number[] = []
  for (let run = 0; run < 3; run++) {
    const loop = new Loop()
    const start = performance.now()
    loop.run(SCHEDULER_UNITS)
    if (loop.accepted !== SCHEDULER_UNITS) throw new Error(`Accepted ${loop.accepted} of ${SCHEDULER_UNITS} units`)
    rates.push(SCHEDULER_UNITS / ((performance.now() - start) / 1_000))
  }
  return benchLine('scheduler.units', median(rates), 'units/s', UNITS_PER_SECOND_WANTED)
}

/** `manifest.*`, `receipt.*` in milliseconds, and the units per second that both schedulers together manage on one core. */
export async function run(): Promise<BenchLine[]> {
  return [...(await timeManifestsAndReceipts()), timeScheduler()]
}

if (process.argv[1] === import.meta.filename) {
  for (const line of await run()) console.log(JSON.stringify(line))
}
