import type { Abi, Manifest } from './manifest.ts'

/** What an executor can and will do; compared with a manifest's terms. */
export interface Capability {
  readonly abis: readonly Abi[]
  readonly memoryBytesMax: number
  readonly cores: number
  readonly wallMsMax: number
  readonly stackBytesMax: number
  readonly gasMax: bigint
  readonly outputBytesMax: number
  /** The least it works for. */
  readonly microUnitsPerSecondMin: bigint
  readonly microUnitsPerMebibyteMin: bigint
  /** Its own record, parts per million. */
  readonly uptimePpm: number
  readonly failurePpm: number
  readonly reputationPpm: number
}

/** One reason why an executor cannot take a job: the manifest's field, its value, and the bound it breaks. */
export interface Mismatch {
  readonly field: string
  readonly value: string
  readonly limit: string
}

/** The part of the terms that an offer repeats. */
export type OfferedTerms = Pick<Manifest, 'abi' | 'resources' | 'payment' | 'serviceLevel' | 'validUntilMs'>

/**
 * Decides whether this executor can execute under these terms. Rule [M4].
 *
 * @returns Every reason against it; empty when it can.
 */
export function matchTerms(terms: OfferedTerms, capability: Capability, nowMs: number): readonly Mismatch[] {
  const mismatches: Mismatch[] = []
  const atMost = (field: string, value: number | bigint, limit: number | bigint) => {
    if (value > limit) mismatches.push({ field, value: String(value), limit: `at most ${limit}` })
  }
  const atLeast = (field: string, value: number | bigint, limit: number | bigint) => {
    if (value < limit) mismatches.push({ field, value: String(value), limit: `at least ${limit}` })
  }
  if (!capability.abis.includes(terms.abi)) {
    mismatches.push({ field: 'abi', value: terms.abi, limit: capability.abis.join(', ') })
  }
  const { resources, payment, serviceLevel } = terms
  atMost('resources.memoryBytesMax', resources.memoryBytesMax, capability.memoryBytesMax)
  atMost('resources.cores', resources.cores, capability.cores)
  atMost('resources.wallMsMax', resources.wallMsMax, capability.wallMsMax)
  atMost('resources.stackBytesMax', resources.stackBytesMax, capability.stackBytesMax)
  atMost('resources.gasMax', resources.gasMax, capability.gasMax)
  atMost('resources.outputBytesMax', resources.outputBytesMax, capability.outputBytesMax)
  atLeast('payment.microUnitsPerSecond', payment.microUnitsPerSecond, capability.microUnitsPerSecondMin)
  atLeast('payment.microUnitsPerMebibyte', payment.microUnitsPerMebibyte, capability.microUnitsPerMebibyteMin)
  atMost('serviceLevel.uptimePpmMin', serviceLevel.uptimePpmMin, capability.uptimePpm)
  atLeast('serviceLevel.failurePpmMax', serviceLevel.failurePpmMax, capability.failurePpm)
  atMost('serviceLevel.reputationPpmMin', serviceLevel.reputationPpmMin, capability.reputationPpm)
  atLeast('validUntilMs', terms.validUntilMs, nowMs + 1)
  return mismatches
}

/** The same for a whole manifest, which says besides when it begins and which requester it is from. */
export function matchManifest(manifest: Manifest, capability: Capability, nowMs: number): readonly Mismatch[] {
  const mismatches = matchTerms(manifest, capability, nowMs)
  if (manifest.validFromMs <= nowMs) return mismatches
  return [...mismatches, { field: 'validFromMs', value: String(manifest.validFromMs), limit: `at most ${nowMs}` }]
}
