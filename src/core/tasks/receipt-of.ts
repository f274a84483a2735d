import type { Hash, JobId } from '../codec/ids.ts'
import type { Executed } from './executor-events.ts'
import type { Manifest } from './manifest.ts'
import { costOf } from './pricing.ts'
import type { Receipt } from './receipt.ts'

/**
 * The receipt for an execution. Measurements are cut to what the manifest allows: a worker is stopped a moment after its limit, and
 * the moment is not the requester's to pay. Rule [R3].
 */
export function receiptOf(
  of: { readonly job: JobId; readonly unit: number; readonly inputHash: Hash },
  { manifest, executed }: { readonly manifest: Manifest; readonly executed: Executed },
): Receipt {
  const { resources, payment } = manifest
  const { outputHash, exitCode, trap, startedAtMs } = executed
  const durationUs = Math.min(Math.ceil(executed.durationUs), resources.wallMsMax * 1_000)
  const memoryBytesPeak = Math.min(executed.memoryBytesPeak, resources.memoryBytesMax)
  // biome-ignore lint/complexity/useMathMinMax: Math.min takes no bigint
  const gas = executed.gas < resources.gasMax ? executed.gas : resources.gasMax
  return {
    manifest: of.job,
    unit: of.unit,
    inputHash: of.inputHash,
    outputHash,
    success: trap === null && exitCode === 0,
    exitCode,
    trap,
    gas,
    durationUs,
    memoryBytesPeak,
    startedAtMs: Math.floor(startedAtMs),
    costMicroUnits: costOf(payment, { durationUs, memoryBytesPeak }),
  }
}
