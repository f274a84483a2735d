/** Starts the probing worker three ways and posts what it found. */
function probe(path: string, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(path, { type: 'module', name })
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = (event) => reject(new Error(event.message || 'the worker did not load'))
  })
}

async function main(): Promise<unknown> {
  return {
    open: await probe('/probe.js', 'open'),
    policy: await probe('/sandbox-worker-probe.js', 'policy'),
    locked: await probe('/sandbox-worker-probe.js', 'locked'),
  }
}

void main()
  .catch((error: Error) => ({ error: error.message }))
  .then((report) => fetch('/result', { method: 'POST', body: JSON.stringify(report) }))
