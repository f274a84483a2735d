import { transferHandlers } from 'comlink'
import { StarlingError } from '../core/codec/errors.ts'

interface Thrown {
  readonly value: unknown
}

/**
 * Lets an error's `details` survive a worker boundary: Comlink's own handler keeps name, message and stack only. To be called
 * once on each side.
 */
export function installErrorTransfer(): void {
  const base = transferHandlers.get('throw')
  if (base === undefined) return
  transferHandlers.set('throw', {
    ...base,
    serialize(thrown: Thrown) {
      const { value } = thrown
      if (!(value instanceof StarlingError)) return base.serialize(thrown)
      const { name, message, stack, details } = value
      return [{ isError: true, value: { name, message, stack, details } }, []]
    },
  })
}
