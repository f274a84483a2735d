/** Values worth keeping beside a message: the field, what it was, and the limit it broke. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | bigint | null>>

/** Every expected failure of Starling. Match on `name`, never `instanceof`, past a worker or network boundary. */
export abstract class StarlingError extends Error {
  abstract override readonly name: string
  readonly details: ErrorDetails

  constructor(message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options as ErrorOptions)
    this.details = details
  }
}

/** A received message or stored record failed to decode, or broke a limit; whoever made it is at fault. */
export class InvalidMessageError extends StarlingError {
  override readonly name = 'InvalidMessageError'
}

/** A bound that is stated in a `limits.ts` was exceeded; `details` holds field, value and limit. */
export class LimitExceededError extends StarlingError {
  override readonly name = 'LimitExceededError'
}

/** A programmer's mistake, never bad input: the state machine reached what its rules exclude. */
export class InvariantError extends StarlingError {
  override readonly name = 'InvariantError'
}

/**
 * Crashes on a programmer's mistake.
 *
 * @throws {@link InvariantError} When `condition` does not hold.
 */
export function invariant(condition: unknown, why: string): asserts condition {
  if (!condition) throw new InvariantError(`Invariant violated: ${why}`)
}
