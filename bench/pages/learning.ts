const worker = new Worker('/learning-worker.js', { type: 'module' })

function post(result: unknown): void {
  void fetch('/result', { method: 'POST', body: JSON.stringify(result) })
}

worker.onmessage = (event: MessageEvent<unknown>) => post(event.data)
worker.onerror = (event) => post({ error: event.message })
