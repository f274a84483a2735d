import { ALLOWED_GLOBALS, lockdown } from '../../src/workers/sandbox/lockdown.ts'

/**
 * A worker that tries to get out. With `#locked` in its name it first does what the sandbox's worker does; without, it shows that
 * the attempts would work.
 */
interface WorkerScope {
  readonly name: string
  postMessage(message: unknown): void
}

// The web's type library describes a window; in a dedicated worker the scope is this.
const scope = globalThis as unknown as WorkerScope
const postMessage = scope.postMessage.bind(scope)
const setTimer = globalThis.setTimeout.bind(globalThis)
const locked = scope.name === 'locked'

const ATTEMPT_MS = 2_000

/** Reads a global as an escaping guest would: untyped. */
function take(name: string): ((...args: unknown[]) => unknown) & (new (...args: unknown[]) => Record<string, unknown>) {
  return Reflect.get(globalThis, name)
}

const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  fetch: async () => ((await (take('fetch') as typeof fetch)('/')) as Response).ok,
  XMLHttpRequest: () => {
    const request = new (take('XMLHttpRequest'))() as unknown as XMLHttpRequest
    request.open('GET', '/', false)
    request.send()
    return request.status === 200
  },
  WebSocket: () => settled(new (take('WebSocket'))(Reflect.get(globalThis, 'location').origin.replace('http', 'ws'))),
  EventSource: () => settled(new (take('EventSource'))('/')),
  Worker: () => settled(new (take('Worker'))('/talking-worker.js')),
  BroadcastChannel: () => new (take('BroadcastChannel'))('x'),
  indexedDB: () => Reflect.get(globalThis, 'indexedDB').open('x'),
  caches: () => Reflect.get(globalThis, 'caches').open('x'),
  storage: () => Reflect.get(globalThis, 'navigator').storage.getDirectory(),
  locks: () => Reflect.get(globalThis, 'navigator').locks.request('x', () => true),
  crypto: () => Reflect.get(globalThis, 'crypto').subtle.digest('SHA-256', new Uint8Array(1)),
  location: () => Reflect.get(globalThis, 'location').href,
  setTimeout: () => take('setTimeout')(() => {}, 0),
  postMessage: () => Reflect.get(globalThis, 'postMessage').length,
  'import of a file': () => loads('/module.js'),
  'import of a data URL': () => loads('data:text/javascript,export default 1'),
  importScripts: () => take('importScripts').name,
  eval: () => take('eval')('1 + 1'),
  Function: () => (take('Function')('return 1') as () => unknown)(),
  'constructor of a function': () => constructorOf(() => {})('return 1')(),
  'constructor of an async function': () => constructorOf(async () => {})('return 1')(),
  'constructor of a generator': () => constructorOf(function* () {})('yield 1')(),
  'prototype of the scope': () => Object.getPrototypeOf(globalThis).constructor !== Object,
  'another realm': () => take('ShadowRealm') ?? take('Document'),
  'a new global': () => Reflect.set(globalThis, 'leftBehind', 1),
}

// biome-ignore lint/complexity/noBannedTypes: any function will do
function constructorOf(of: Function): (code: string) => () => unknown {
  return (Object.getPrototypeOf(of) as { constructor: (code: string) => () => unknown }).constructor
}

/** A bundler must not resolve what is only to be tried. */
function loads(specifier: string): Promise<unknown> {
  return import(specifier)
}

/** Whether something that connects or starts gets anywhere; a refusal comes as an error event. */
function settled(source: object): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const target = source as EventTarget
    target.addEventListener('open', () => resolve(true))
    target.addEventListener('message', () => resolve(true))
    // A policy's refusal is an error event without a message; a server that does not speak the protocol fails later.
    target.addEventListener('error', () => reject(new Error('refused')))
  })
}

/** Ends an attempt that nothing answers; a connection that is neither open nor refused got nowhere. */
function late(): Promise<undefined> {
  return new Promise((resolve) => setTimer(() => resolve(undefined), ATTEMPT_MS))
}

/** Names that can be reached from the scope, its prototypes included. */
function reachable(): readonly string[] {
  const names = new Set<string>()
  for (let at: object | null = globalThis; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Reflect.ownKeys(at)) if (typeof key === 'string') names.add(key)
  }
  return [...names].sort()
}

async function main(): Promise<void> {
  const remnants = locked ? lockdown(globalThis) : []
  const outcomes: Record<string, string> = {}
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    try {
      const got = await Promise.race([attempt(), late()])
      outcomes[name] = got === undefined || got === false ? 'nothing' : 'escaped'
    } catch (error) {
      outcomes[name] = error instanceof Error ? `refused: ${error.name}` : 'refused'
    }
  }
  const globals = reachable()
  postMessage({ remnants, outcomes, globals, extra: globals.filter((name) => !ALLOWED_GLOBALS.has(name)) })
}

void main()
