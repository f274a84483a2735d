import { ERRNO, type Errno, type ErrnoName } from './abi.ts'

/**
 * How a call inside this host ends early: caught at the boundary and returned as its number. It never leaves the folder.
 * One object for each errno, made once, since capturing a stack costs more than most calls do.
 */
export class Fault extends Error {
  readonly errno: Errno

  constructor(name: ErrnoName) {
    super(name)
    this.errno = ERRNO[name]
  }
}

const FAULTS = new Map<ErrnoName, Fault>()

/** Ends the current call with an errno. */
export function fail(name: ErrnoName): never {
  let fault = FAULTS.get(name)
  if (fault === undefined) {
    fault = new Fault(name)
    FAULTS.set(name, fault)
  }
  throw fault
}
