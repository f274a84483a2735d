import { registerHooks } from 'node:module'
import { lockdown } from './lockdown.ts'

/**
 * {@link lockdown} for a worker thread of Node. `import()` is syntax and no global: once the sandbox's own modules are loaded,
 * nothing more is, Node's own modules included.
 */
export function lockdownNode(): readonly string[] {
  registerHooks({
    resolve(specifier) {
      throw new Error(`The sandbox loads nothing, not even ${specifier}`)
    },
  })
  return lockdown(globalThis)
}
