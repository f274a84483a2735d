import { cidOf } from '../core/codec/cid.ts'
import type { JobId, PeerId } from '../core/codec/ids.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import type { JobSpec } from '../core/tasks/job.ts'
import type { Manifest, Verification } from '../core/tasks/manifest.ts'
import { manifestHash, validateManifest } from '../core/tasks/manifest-schema.ts'
import type { Capability } from '../core/tasks/matching.ts'
import { costOf } from '../core/tasks/pricing.ts'
import type { Receipt, SignedReceipt } from '../core/tasks/receipt.ts'
import { inputOf, outcomeOf, simReceipt } from './sim/truth.ts'

/** The time of tests: any will do. */
export const NOW_MS = 1_800_000_000_000

/** A peer id for tests. @param index - Different for different peers, 0 to 255. */
export function testPeer(index: number): PeerId {
  return peerIdOf(new Uint8Array(32).fill(index))
}

export interface ManifestOptions extends Partial<Omit<Manifest, 'verification'>> {
  readonly verification?: Partial<Verification>
}

/** A valid manifest of `testPeer(1)`. */
export function testManifest(options: ManifestOptions = {}): Manifest {
  const data = { mediaType: 'text/plain', bytesMin: 0, bytesMax: 1_000, description: '' }
  return validateManifest({
    version: 1,
    requester: testPeer(1),
    nonce: new Uint8Array(16),
    name: 'test',
    module: cidOf(new Uint8Array(1), 'raw'),
    abi: 'reactor',
    args: [],
    env: [],
    files: [],
    resources: {
      memoryBytesMax: 2 ** 27,
      cores: 1,
      wallMsMax: 30_000,
      stackBytesMax: 2 ** 18,
      gasMax: 10n ** 12n,
      outputBytesMax: 1_000,
    },
    payment: { microUnitsPerSecond: 1_000n, microUnitsPerMebibyte: 10n, microUnitsTotalMax: 5_000n },
    serviceLevel: { uptimePpmMin: 0, failurePpmMax: 1_000_000, reputationPpmMin: 0 },
    input: data,
    output: data,
    priority: 5,
    validFromMs: NOW_MS - 60_000,
    validUntilMs: NOW_MS + 3_600_000,
    ...options,
    verification: { replicas: 1, quorum: 1, auditPpm: 0, speculation: true, ...options.verification },
  })
}

export interface TestJob {
  readonly job: JobId
  readonly spec: JobSpec
}

export function testJob(
  options: ManifestOptions & { readonly unitCount?: number; readonly shortage?: JobSpec['shortage'] } = {},
): TestJob {
  const { unitCount = 4, shortage = { policy: 'wait' }, ...rest } = options
  const manifest = testManifest(rest)
  const manifestCid = cidOf(new Uint8Array(2), 'dag-cbor')
  return { job: manifestHash(manifest), spec: { manifest, manifestCid, unitCount, executeHere: false, shortage } }
}

/** An executor that can do everything. */
export const ABLE: Capability = {
  abis: ['wasi-command', 'reactor'],
  memoryBytesMax: 2 ** 32,
  cores: 64,
  wallMsMax: 600_000,
  stackBytesMax: 2 ** 26,
  gasMax: 2n ** 60n,
  outputBytesMax: 2 ** 26,
  microUnitsPerSecondMin: 0n,
  microUnitsPerMebibyteMin: 0n,
  uptimePpm: 1_000_000,
  failurePpm: 0,
  reputationPpm: 1_000_000,
}

/** A receipt as an executor would make it; `lie` states another outcome. */
export function testReceipt(of: TestJob, unit: number, lie = ''): Receipt {
  const { outputHash, exitCode, trap, gas } = outcomeOf(of.job, unit, lie)
  const usage = { durationUs: 1_500, memoryBytesPeak: 65_536 }
  return {
    manifest: of.job,
    unit,
    inputHash: inputOf(of.job, unit).hash,
    outputHash,
    success: trap === null && exitCode === 0,
    exitCode,
    trap,
    gas,
    ...usage,
    startedAtMs: NOW_MS,
    costMicroUnits: costOf(of.spec.manifest.payment, usage),
  }
}

export function testSignedReceipt(
  of: TestJob,
  options: { readonly executor: PeerId; readonly unit: number; readonly lie?: string; readonly durationUs?: number },
): SignedReceipt {
  const receipt = testReceipt(of, options.unit, options.lie)
  const { durationUs = receipt.durationUs } = options
  const costMicroUnits = costOf(of.spec.manifest.payment, { ...receipt, durationUs })
  return simReceipt({ ...receipt, durationUs, costMicroUnits }, { author: options.executor, nonce: new Uint8Array(16) })
}
