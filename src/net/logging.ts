import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { NetworkLogger } from './network.ts'

/** A logger for callers that gave none. */
export const silentLogger: NetworkLogger = { log: () => {} }

/**
 * libp2p's loggers, silenced but for what it calls errors, which go to our debug level.
 *
 * libp2p logs every dial that fails as an error; here a failed dial is ordinary, and what matters of it is in the status.
 */
export function componentLogger(logger: NetworkLogger): ComponentLogger {
  const forComponent = (name: string): Logger => {
    const quiet = () => {}
    const error = (format: unknown, ...args: unknown[]) =>
      logger.log('debug', `${name}: ${expand(String(format), args)}`)
    return Object.assign(quiet, {
      error,
      trace: quiet,
      enabled: false,
      newScope: (scope: string) => forComponent(`${name}:${scope}`),
    }) as unknown as Logger
  }
  return { forComponent }
}

/** Fills the printf-like places; only names, numbers and error messages, never bytes from the network. */
function expand(format: string, args: readonly unknown[]): string {
  let next = 0
  return format.replace(/%[a-zA-Z]/g, () => {
    const value = args[next++]
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value)
  })
}
