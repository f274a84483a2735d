import type { JobOptions } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'

const MEBIBYTE = 1024 * 1024

/** What one unit tells of the whole job, if the others are like it. */
export interface Estimate {
  /** Of computing, all runs together, ms. */
  readonly computeMs: number
  /** Until it is done, ms. */
  readonly wallMs: number
  readonly costMicro: number
  readonly coresWords: string
}

interface Room {
  readonly units: number
  readonly options: JobOptions
  readonly peers: number
  readonly ownWorkers: number
}

/**
 * Spreads the runs evenly over one core of every peer here and the lent cores of this device. Peers do not say how many cores
 * they lend before they bid, so this errs on the slow side.
 */
export function estimate(
  unit: { readonly durationMs: number; readonly memoryBytesPeak: number },
  { units, options, peers, ownWorkers }: Room,
): Estimate {
  const audits = options.auditPpm / 1_000_000
  const computeMs = unit.durationMs * units * (options.replicas + audits)
  const cores = Math.max(1, peers + (options.useOwnWorkers ? ownWorkers : 0))
  const asked =
    (unit.durationMs / 1000) * Number(options.pricePerSecondMicro) +
    (unit.memoryBytesPeak / MEBIBYTE) * Number(options.pricePerMebibyteMicro)
  const each = Math.min(asked, Number(options.priceMaxMicro))
  return {
    computeMs,
    wallMs: computeMs / cores,
    costMicro: each * units * options.replicas,
    coresWords: plural(cores, 'core'),
  }
}
