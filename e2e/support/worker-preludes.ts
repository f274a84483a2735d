/**
 * Code that tests put before a worker's own, or into a page before anything runs there. Plain script text: it must not be bundled
 * with what it watches.
 */

/** Turns whatever can cross a boundary or lie in a store into text that can be searched; bytes become Latin-1. */
const FLATTEN = `
function flatten(value, seen = new Set()) {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'number') return String(value)
  if (typeof value !== 'object' || value === null || seen.has(value)) return ''
  seen.add(value)
  if (value instanceof CryptoKey) return '<' + value.type + (value.extractable ? ' extractable' : '') + ' key>'
  const latin1 = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  if (value instanceof ArrayBuffer) return latin1(new Uint8Array(value))
  if (globalThis.SharedArrayBuffer && value instanceof SharedArrayBuffer) return latin1(new Uint8Array(value))
  if (ArrayBuffer.isView(value)) return latin1(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  const parts = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value]
    : Array.isArray(value) && value.every((item) => typeof item === 'number') ? [latin1(value), value.join(',')]
    : Object.entries(value).flat()
  return parts.map((part) => flatten(part, seen)).join('\\n')
}`

/**
 * Records everything that is sent or received over a worker, a port or a broadcast channel, on this side of it. A page collects with
 * \`collectTraffic()\`, its own and the workers' together.
 */
export const RECORDER = `(() => {
${FLATTEN}
const traffic = []
const channel = new BroadcastChannel('test-recorder')
const own = new WeakSet([channel])
const { postMessage: send } = BroadcastChannel.prototype
const record = (value) => { const text = flatten(value); if (text !== '') traffic.push(text) }
for (const holder of [globalThis.Worker?.prototype, MessagePort.prototype, BroadcastChannel.prototype]) {
  if (!holder) continue
  const { postMessage } = holder
  holder.postMessage = function (message, ...rest) {
    if (!own.has(this)) record(message)
    return postMessage.call(this, message, ...rest)
  }
}
const isWorker = typeof WorkerGlobalScope !== 'undefined'
if (isWorker) {
  const { postMessage } = self
  self.postMessage = (message, ...rest) => { record(message); return postMessage.call(self, message, ...rest) }
}
const { get: dataOf } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data')
Object.defineProperty(MessageEvent.prototype, 'data', {
  configurable: true,
  get() {
    const data = dataOf.call(this)
    if (this.currentTarget !== channel && this.target !== channel) record(data)
    return data
  },
})
channel.addEventListener('message', (event) => {
  if (isWorker && dataOf.call(event) === 'collect') send.call(channel, { traffic })
})
globalThis.flattenForTest = flatten
globalThis.collectTraffic = () => new Promise((resolve) => {
  channel.addEventListener('message', (event) => {
    const data = dataOf.call(event)
    if (data.traffic) resolve({ page: [...traffic], worker: data.traffic })
  })
  send.call(channel, 'collect')
})
})();`

/**
 * A worker that dies after a number of writes to IndexedDB, as a process does that is killed: nothing is written after that. The page
 * arms it over the channel \`test-kill\` with the number of writes that still succeed.
 */
export const KILLER = `(() => {
const channel = new BroadcastChannel('test-kill')
let left = Infinity
const die = () => { channel.postMessage('killed'); self.close() }
const { transaction } = IDBDatabase.prototype
IDBDatabase.prototype.transaction = function (names, mode, options) {
  if (mode === 'readwrite' && left-- <= 0) { die(); throw new DOMException('Killed', 'AbortError') }
  return transaction.call(this, names, mode, options)
}
channel.addEventListener('message', ({ data }) => {
  if (typeof data !== 'number') return
  left = data
  channel.postMessage('armed')
})
})();`

/** Flips one byte of every outcome that this tab's sandbox gives its node: a liar that signs what it says. */
export const LIAR = `{
  const Honest = self.Worker
  self.Worker = class extends Honest {
    set onmessage(listen) {
      super.onmessage = (event) => {
        const { data } = event
        if (data?.type === 'done' && data.execution.outcome.stdout.length > 12) data.execution.outcome.stdout[10] ^= 1
        listen.call(this, event)
      }
    }
  }
}`
