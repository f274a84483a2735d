import { expect, it } from 'vitest'
import type { NodeApi, NodeEvent } from './contract.ts'
import { type SharedChannel, type SharedMessage, ViewerClient, ViewerServer } from './sharing.ts'

/** Joins channels as `BroadcastChannel` does: everybody but the sender hears a clone, later. */
class Bus {
  readonly #ends = new Set<Set<(event: { data: SharedMessage }) => void>>()

  join(): SharedChannel {
    const listeners = new Set<(event: { data: SharedMessage }) => void>()
    this.#ends.add(listeners)
    return {
      postMessage: (message) => {
        const data = structuredClone(message)
        for (const end of this.#ends) {
          if (end !== listeners) for (const listener of [...end]) setTimeout(() => listener({ data }), 0)
        }
      },
      addEventListener: (_, listener) => listeners.add(listener),
      removeEventListener: (_, listener) => listeners.delete(listener),
    }
  }
}

const later = (ms = 5): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const jobEvent = { type: 'log', entries: [] } satisfies NodeEvent

function owner(api: Partial<NodeApi>, channel: SharedChannel, now = () => 0): ViewerServer {
  return new ViewerServer(api as NodeApi, channel, now)
}

it('ViewerClient calls the node of another tab and gets its answer or its error', async () => {
  const bus = new Bus()
  owner(
    {
      job: async (id) => {
        if (id === 'bad') throw new RangeError('No such job')
        return null
      },
    },
    bus.join(),
  )
  const viewer = new ViewerClient(bus.join(), 'a', () => undefined)
  expect(await viewer.call({ method: 'job', args: ['x'] })).toBeNull()
  await expect(viewer.call({ method: 'job', args: ['bad'] })).rejects.toMatchObject({
    name: 'RangeError',
    message: 'No such job',
  })
})

it('ViewerServer refuses what a viewer may not call, and names that are no methods', async () => {
  const bus = new Bus()
  let stopped = false
  const api = {
    stop: async () => {
      stopped = true
    },
  }
  owner(api, bus.join())
  const viewer = new ViewerClient(bus.join(), 'a', () => undefined)
  await expect(viewer.call({ method: 'stop', args: [] })).rejects.toThrow('another tab')
  await expect(viewer.call({ method: 'constructor' as never, args: [] })).rejects.toThrow('No method')
  expect(stopped).toBe(false)
})

it('ViewerServer sends events only while somebody watches', async () => {
  const bus = new Bus()
  let now = 0
  const server = owner({}, bus.join(), () => now)
  const heard: NodeEvent[] = []
  const viewer = new ViewerClient(bus.join(), 'a', (event) => heard.push(event))
  await later()
  server.event(jobEvent)
  await later()
  expect(heard).toHaveLength(1)
  now = 60_000
  server.event(jobEvent)
  await later()
  expect(heard).toHaveLength(1)
  viewer.watch()
  await later()
  server.event(jobEvent)
  await later()
  expect(heard).toHaveLength(2)
})

it('a new owner answers pending reads; pending writes fail with NodeMovedError', async () => {
  const bus = new Bus()
  const viewer = new ViewerClient(bus.join(), 'a', () => undefined)
  const read = viewer.call({ method: 'peers', args: [] })
  const write = viewer.call({ method: 'submitJob', args: [] })
  write.catch(() => undefined)
  await later()
  let submitted = 0
  owner(
    {
      peers: async () => [],
      submitJob: async () => {
        submitted++
        return 'job'
      },
    },
    bus.join(),
  )
  expect(await read).toEqual([])
  await expect(write).rejects.toMatchObject({ name: 'NodeMovedError' })
  expect(submitted).toBe(0)
})

it('a viewer that becomes the owner hands its pending reads to its own node', async () => {
  const bus = new Bus()
  const viewer = new ViewerClient(bus.join(), 'a', () => undefined)
  const read = viewer.call({ method: 'logs', args: [] })
  const write = viewer.call({ method: 'pause', args: [null] })
  write.catch(() => undefined)
  viewer.close(async ({ method }) => `own ${method}`)
  expect(await read).toBe('own logs')
  await expect(write).rejects.toMatchObject({ name: 'NodeMovedError' })
})
