/**
 * The second wall round untrusted modules. The first is WebAssembly itself: a guest can call only the functions it is handed,
 * and those are WASI in memory. Should that ever break, the thread it breaks into has no network, storage, other thread,
 * device or way to make code of text.
 */

/** ECMAScript 2025 and what the sandbox's own code uses; every other global is removed. */
export const ALLOWED_GLOBALS: ReadonlySet<string> = new Set([
  ...['globalThis', 'Infinity', 'NaN', 'undefined'],
  ...[
    'isFinite',
    'isNaN',
    'parseFloat',
    'parseInt',
    'decodeURI',
    'decodeURIComponent',
    'encodeURI',
    'encodeURIComponent',
  ],
  ...['escape', 'unescape'],
  ...[
    'Object',
    'Function',
    'Boolean',
    'Symbol',
    'Number',
    'BigInt',
    'Math',
    'Date',
    'String',
    'RegExp',
    'JSON',
    'Reflect',
  ],
  ...['Error', 'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'],
  ...['InternalError', 'SuppressedError', 'DisposableStack', 'AsyncDisposableStack'],
  ...['Array', 'ArrayBuffer', 'DataView', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array'],
  ...['Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array', 'Float16Array', 'Float32Array', 'Float64Array'],
  ...[
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'WeakRef',
    'FinalizationRegistry',
    'Iterator',
    'AsyncIterator',
    'Proxy',
    'Promise',
  ],
  ...['Intl', 'Temporal'],
  ...['WebAssembly', 'TextEncoder', 'TextDecoder', 'performance'],
])

/** Globals an engine lets nobody remove, and that reach nothing: Chromium's two constants of a removed file system. */
export const HARMLESS_REMNANTS: ReadonlySet<string> = new Set(['PERSISTENT', 'TEMPORARY'])

/**
 * Removes every global that is not allowed, from the scope and its prototypes, replaces `performance` by its clock, makes the
 * constructors of functions throw, and freezes the scope.
 *
 * Everything the caller still wants (`postMessage`, timers, listeners) must be taken before.
 *
 * @returns The names that could not be removed, sorted; empty on every engine that is tested.
 */
export function lockdown(scope: typeof globalThis): readonly string[] {
  const clock = scope.performance
  const now = clock.now.bind(clock)
  const remnants = new Set<string>()
  for (const holder of chainOf(scope)) {
    for (const key of Reflect.ownKeys(holder)) {
      if (typeof key === 'symbol' || ALLOWED_GLOBALS.has(key) || HARMLESS_REMNANTS.has(key)) continue
      if (!remove(holder, key)) remnants.add(key)
    }
  }
  Reflect.deleteProperty(scope, 'performance')
  Reflect.defineProperty(scope, 'performance', { value: Object.freeze({ now }), enumerable: true })
  disarmFunctionConstructors()
  for (const holder of chainOf(scope)) Object.freeze(holder)
  return [...remnants].sort()
}

/** The scope and its prototypes, `Object.prototype` excluded. */
function chainOf(scope: object): object[] {
  const chain: object[] = []
  for (let at: object | null = scope; at !== null && at !== Object.prototype; at = Reflect.getPrototypeOf(at))
    chain.push(at)
  return chain
}

function remove(holder: object, key: string): boolean {
  if (Reflect.deleteProperty(holder, key)) return true
  // Not configurable: what can still be done is to let it hold nothing.
  const gone = { value: undefined, writable: false }
  return Reflect.defineProperty(holder, key, gone)
}

/** `(() => {}).constructor('…')` makes code of text even when `eval` is gone; the worker's policy refuses that too. */
function disarmFunctionConstructors(): void {
  const prototypes = [
    Object.getPrototypeOf(() => {}),
    Object.getPrototypeOf(async () => {}),
    Object.getPrototypeOf(function* () {}),
    Object.getPrototypeOf(async function* () {}),
  ]
  const refuse = function refuse(): never {
    throw new TypeError('Code cannot be made of text here')
  }
  for (const prototype of prototypes) {
    Reflect.defineProperty(prototype, 'constructor', { value: refuse, writable: false, configurable: false })
  }
  Reflect.defineProperty(globalThis, 'Function', { value: refuse, writable: false, configurable: false })
}
