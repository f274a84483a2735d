/** A worker thread that locks itself down as the sandbox's does, and then tries to get out. */
import { parentPort } from 'node:worker_threads'
import { lockdownNode } from '../../workers/sandbox/lockdown.node.ts'

const port = parentPort
if (port === null) throw new Error('node-probe.ts is started as a worker only')

/** Reads a global as code that broke out would: untyped. */
function take(name: string): (...args: unknown[]) => unknown {
  return Reflect.get(globalThis, name)
}

const loads = (specifier: string): Promise<unknown> => import(specifier)

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  process: () => Reflect.get(globalThis, 'process').env,
  require: () => take('require')('node:fs'),
  'import of node:fs': () => loads('node:fs'),
  'import of a module that is loaded': () => loads('node:worker_threads'),
  'import of a data URL': () => loads('data:text/javascript,export default 1'),
  fetch: () => take('fetch')('data:text/plain,x'),
  Buffer: () => take('Buffer')('x'),
  WebSocket: () => take('WebSocket').length + 1,
  BroadcastChannel: () => take('BroadcastChannel').length + 1,
  setTimeout: () => take('setTimeout')(() => {}, 0),
  eval: () => take('eval')('1 + 1'),
  Function: () => (take('Function')('return 1') as () => unknown)(),
  'constructor of a function': () => (Reflect.get(() => {}, 'constructor')('return 1') as () => unknown)(),
  'global object of Node': () => take('global'),
}

const remnants = lockdownNode()
const outcomes: Record<string, string> = {}
for (const [name, attempt] of Object.entries(ATTEMPTS)) {
  try {
    outcomes[name] = (await attempt()) === undefined ? 'nothing' : 'escaped'
  } catch (error) {
    outcomes[name] = error instanceof Error ? 'refused' : 'failed'
  }
}
const globals = new Set<string>()
for (let at: object | null = globalThis; at !== null && at !== Object.prototype; at = Reflect.getPrototypeOf(at)) {
  for (const key of Reflect.ownKeys(at)) if (typeof key === 'string') globals.add(key)
}
port.postMessage({ remnants, outcomes, globals: [...globals] })
