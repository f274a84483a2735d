import { serveRtc } from '../../src/net/rtc/bridge.ts'

/**
 * The smallest page with a peer: the worker runs the network, the window lends it WebRTC.
 *
 * `?network=` and `?relays=` (comma-separated; the page's own origin if absent) say what to join. `peer(method, ...)`
 * on the window calls the worker.
 */
const started = performance.timeOrigin
const worker = new Worker('/mesh-worker.js', { type: 'module' })
const { port1, port2 } = new MessageChannel()
serveRtc(port1)
const parameters = new URLSearchParams(location.search)
const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
let sequence = 0

worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: unknown; error?: string }>) => {
  const call = waiting.get(data.id)
  waiting.delete(data.id)
  if (data.id === 0 && data.error !== undefined) console.error(`The peer did not start: ${data.error}`)
  if (data.error !== undefined) call?.reject(new Error(data.error))
  else call?.resolve(data.value)
}
worker.onerror = (event) => Object.assign(globalThis, { workerError: event.message })

function peer(method: string, ...args: unknown[]): Promise<unknown> {
  const id = ++sequence
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, method, args })
  })
}

Object.assign(globalThis, { peer })
const relays = parameters.get('relays')?.split(',') ?? [location.origin]
const init = {
  networkId: parameters.get('network') ?? 'test',
  relays,
  dialRaceGuard: parameters.get('guard') !== 'off',
  targetDegree: Number(parameters.get('degree') ?? 6),
  started,
}
worker.postMessage({ id: 0, method: 'init', args: [init], port: port2 }, [port2])
for (const name of ['online', 'offline'] as const) addEventListener(name, () => void peer('hint', name))
