/** Node's own way; not there in a browser. */
const { setImmediate } = globalThis as { readonly setImmediate?: (task: () => void) => void }

/** Resolvers of turns asked for, first to last. */
const waiting: (() => void)[] = []
let port: MessagePort | null = null

/** Lets other tasks in, such as messages: a message to oneself goes behind them, without the 4 ms that browsers add to nested timers. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (setImmediate !== undefined) return setImmediate(resolve)
    waiting.push(resolve)
    port ??= loopback()
    port.postMessage(null)
  })
}

function loopback(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => waiting.shift()?.()
  return port2
}
