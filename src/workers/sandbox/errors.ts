import { type ErrorDetails, StarlingError } from '../../core/codec/errors.ts'

/** The unit ran longer than its wall clock allows; its worker was ended. Not deterministic, so it is no outcome. */
export class WallClockError extends StarlingError {
  override readonly name = 'WallClockError'
}

/** The caller's signal was aborted before the unit ended. */
export class ExecutionCancelledError extends StarlingError {
  override readonly name = 'ExecutionCancelledError'
}

/** The machine, not the module, failed: out of memory, native stack, or the worker died. */
export class SandboxFaultError extends StarlingError {
  override readonly name = 'SandboxFaultError'
}

/** No compiled module is held under this id and memory limit: prepare it (again) first. */
export class ModuleNotPreparedError extends StarlingError {
  override readonly name = 'ModuleNotPreparedError'
}

/** The pool was closed, or could not start a single worker. */
export class SandboxClosedError extends StarlingError {
  override readonly name = 'SandboxClosedError'
}

/** An error of the worker's side as it crosses over: structured clone would drop `name` and `details`. */
export interface PlainError {
  readonly name: string
  readonly message: string
  readonly details: ErrorDetails
}

export function toPlainError(error: unknown): PlainError {
  if (error instanceof StarlingError) return { name: error.name, message: error.message, details: error.details }
  if (error instanceof Error) return { name: error.name, message: error.message, details: {} }
  return { name: 'Error', message: String(error), details: {} }
}

/** An error that was thrown in a worker, under the name it had there. */
class RemoteError extends StarlingError {
  override readonly name: string
  constructor(plain: PlainError) {
    super(plain.message, plain.details)
    this.name = plain.name
  }
}

/** The inverse of {@link toPlainError}: match the result on `name`. */
export function fromPlainError(plain: PlainError): StarlingError {
  return new RemoteError(plain)
}
