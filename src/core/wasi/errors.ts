import { StarlingError } from '../codec/errors.ts'

/** The program called `proc_exit`, or raised a signal that ends it. A normal end, not a failure of the host. */
export class ProcExit extends StarlingError {
  override readonly name = 'ProcExit'
  /** As the program gave it, 0 to 2^32 - 1. */
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`Program exited with code ${exitCode}`, { exitCode })
    this.exitCode = exitCode
  }
}

/** The program wrote, or left behind, more than the unit may return. The unit ends with the trap `output`. */
export class OutputLimit extends StarlingError {
  override readonly name = 'OutputLimit'

  constructor(field: 'stdout' | 'stderr' | 'files' | 'path', value: number, limit: number) {
    super(`Output ${field} of ${value} bytes exceeds the limit of ${limit} bytes`, { field, value, limit })
  }
}

/** This executor could not go on, whatever the program does; the unit has no outcome here and may be run elsewhere. */
export class HostFailure extends StarlingError {
  override readonly name = 'HostFailure'
}
