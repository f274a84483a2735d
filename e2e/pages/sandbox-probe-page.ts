/** A probe takes some 5 s, most of it attempts that nothing answers. */
const PROBE_MS = 12_000
const TRIES = 3

/** Starts the probing worker and gives what it found; `null` when it stopped for good. */
function probe(path: string, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(path, { type: 'module', name })
    const timer = setTimeout(() => {
      worker.terminate()
      resolve(null)
    }, PROBE_MS)
    worker.onmessage = ({ data }) => {
      clearTimeout(timer)
      resolve(data)
    }
    worker.onerror = (event) => reject(new Error(event.message || 'the worker did not load'))
  })
}

/** A worker that makes a worker, which one attempt is, may stop for good in Firefox: see src/workers/relayed/window.ts. */
async function patiently(path: string, name: string): Promise<unknown> {
  for (let tries = 1; ; tries++) {
    const found = await probe(path, name)
    if (found !== null) return found
    if (tries === TRIES) throw new Error(`the ${name} worker did not answer, ${TRIES} times`)
  }
}

async function main(): Promise<unknown> {
  return {
    open: await patiently('/probe.js', 'open'),
    policy: await patiently('/sandbox-worker-probe.js', 'policy'),
    locked: await patiently('/sandbox-worker-probe.js', 'locked'),
  }
}

void main()
  .catch((error: Error) => ({ error: error.message }))
  .then((report) => fetch('/result', { method: 'POST', body: JSON.stringify(report) }))
