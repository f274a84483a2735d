import { serveRtc } from '../../src/net/rtc/bridge.ts'
import type { ChannelMode } from '../../src/net/rtc/protocol.ts'

/** Runs the acceptance suite of the RTC bridge in a worker, with its channels in the mode of `?channels=`. */
const parameters = new URLSearchParams(location.search)
const channels = (parameters.get('channels') ?? 'auto') as ChannelMode
const worker = new Worker('/rtc-suite-worker.js', { type: 'module' })
const { port1, port2 } = new MessageChannel()
serveRtc(port1, { channels })
worker.onmessage = ({ data }) => Object.assign(globalThis, { report: data })
worker.onerror = (event) => Object.assign(globalThis, { report: [{ name: 'worker', error: event.message }] })
worker.postMessage({ port: port2 }, [port2])
