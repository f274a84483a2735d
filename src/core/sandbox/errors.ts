import { type ErrorDetails, StarlingError } from '../codec/errors.ts'

/**
 * A module was refused before any engine saw it: malformed, over a limit, or asking for what the sandbox does not give.
 * `details` always holds `field` and `offset` (byte of the module, or -1), and `value` and `limit` where there is one.
 */
export class InvalidModuleError extends StarlingError {
  override readonly name = 'InvalidModuleError'
}

/** The host spent more gas on the guest's behalf than the unit had left. The runner reports it as the trap `gas`. */
export class GasExhaustedError extends StarlingError {
  override readonly name = 'GasExhaustedError'
}

type Detail = ErrorDetails[string]

/** Builds the refusal of `field` at byte `offset`; never returns, so that callers read as `throw`-free guards. */
export function refuse(field: string, offset: number, value: Detail, limit: Detail = null): never {
  const where = offset < 0 ? '' : ` at byte ${offset}`
  const bound = limit === null ? '' : `, limit ${String(limit)}`
  throw new InvalidModuleError(`Module refused${where}: ${field} is ${String(value)}${bound}`, {
    field,
    offset,
    value,
    limit,
  })
}
