import type { Manifest, Payment } from './manifest.ts'

const MICROS_PER_SECOND = 1_000_000n
const BYTES_PER_MEBIBYTE = 1n << 20n

/** What a receipt's cost depends on. */
export interface Usage {
  readonly durationUs: number
  readonly memoryBytesPeak: number
}

/**
 * Cost of one execution: min(price per second × duration + price per MiB × peak memory, maximum total). Rule [P1].
 *
 * The sum is exact; it is rounded down once, at the end, to whole micro-units. Duration counts in whole microseconds.
 */
export function costOf(payment: Payment, usage: Usage): bigint {
  const time = payment.microUnitsPerSecond * BigInt(usage.durationUs) * BYTES_PER_MEBIBYTE
  const memory = payment.microUnitsPerMebibyte * BigInt(usage.memoryBytesPeak) * MICROS_PER_SECOND
  const cost = (time + memory) / (MICROS_PER_SECOND * BYTES_PER_MEBIBYTE)
  return cost < payment.microUnitsTotalMax ? cost : payment.microUnitsTotalMax
}

/** Upper bounds of what a job can cost, micro-units. */
export interface MaximumCost {
  /** One execution that uses all it may. */
  readonly perReceipt: bigint
  /** One unit: `replicas` receipts. */
  readonly perUnit: bigint
  readonly total: bigint
}

/** The most that a job of `unitCount` units can cost, when every replica of every unit uses all it may. Rule [P2]. */
export function maximumCost(manifest: Manifest, unitCount: number): MaximumCost {
  const { wallMsMax, memoryBytesMax } = manifest.resources
  const perReceipt = costOf(manifest.payment, { durationUs: wallMsMax * 1_000, memoryBytesPeak: memoryBytesMax })
  const perUnit = perReceipt * BigInt(manifest.verification.replicas)
  return { perReceipt, perUnit, total: perUnit * BigInt(unitCount) }
}
