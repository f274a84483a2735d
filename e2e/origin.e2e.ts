import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { collatzJob, expectedSteps, stepsOf } from './support/collatz.ts'
import { Room } from './support/room.ts'
import { until } from './support/until.ts'

describe('one node per origin', () => {
  let room: Room
  beforeEach(async () => {
    room = await Room.open()
  })
  afterEach(() => room.close())

  it('a second tab shows the node of the first, and takes it over with its jobs when the first is closed', async () => {
    const first = await room.tab({ lend: false })
    const executor = await room.tab()
    const second = await room.beside(first.context)
    expect(second.peerId).toBe(first.peerId)
    const startedAt = (await first.snapshot()).startedAt
    expect((await second.snapshot()).startedAt).toBe(startedAt)

    // Commands and events cross: a job that the viewer asks for is the owner's.
    const events = second.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          void starling.subscribe((event) => {
            if (event.type === 'job') resolve(event.jobId)
          })
        }),
    )
    const id = await second.submit(collatzJob(60, 4_000, { replicas: 1, quorum: 1, useOwnWorkers: false }))
    expect(await events).toBe(id)
    await until('some units', async () => ((await first.job(id))?.counts.accepted ?? 0) >= 5)

    await first.page.close()
    await until('the second tab running the node', async () => (await second.snapshot()).startedAt > startedAt)
    expect((await second.snapshot()).peerId).toBe(first.peerId)
    await until('the job', async () => (await second.job(id))?.state === 'done')
    const results = await second.results(id)
    expect(results.size).toBe(60)
    for (const [unit, stdout] of results) expect(stepsOf(stdout), `unit ${unit}`).toBe(expectedSteps(unit, 4_000))
    await executor.close()
  })

  it('peer id, choices and finished jobs are the same after a reload; the key cannot be read', async () => {
    const tab = await room.tab({ workers: 1 })
    const id = await tab.submit(collatzJob(3, 500, { replicas: 1, quorum: 1, useOwnWorkers: true }))
    await until('the job', async () => (await tab.job(id))?.state === 'done')
    const before = await tab.results(id)
    await tab.reload()
    const snapshot = await tab.snapshot()
    expect(snapshot.peerId).toBe(tab.peerId)
    expect(snapshot.lending.settings.optedIn).toBe(true)
    expect((await tab.job(id))?.state).toBe('done')
    expect([...(await tab.results(id))].sort()).toEqual([...before].sort())
    const exported = await tab.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const request = indexedDB.open('starling-keys')
          request.onsuccess = () => {
            const all = request.result.transaction('keys').objectStore('keys').getAll()
            all.onsuccess = () => {
              const [pair] = all.result as CryptoKeyPair[]
              if (pair === undefined) return resolve('no key')
              crypto.subtle.exportKey('pkcs8', pair.privateKey).then(
                () => resolve('exported'),
                (error: Error) => resolve(error.name),
              )
            }
          }
        }),
    )
    expect(exported).toBe('InvalidAccessError')
  })

  it('a receipt is verified offline by another tab, and a changed one is refused', async () => {
    const requester = await room.tab({ lend: false })
    const executors = [await room.tab(), await room.tab()]
    const id = await requester.submit(collatzJob(4, 500, { replicas: 2, quorum: 2, useOwnWorkers: false }))
    await until('the job', async () => (await requester.job(id))?.state === 'done')
    const detail = async () => await requester.page.evaluate((job) => starling.unit(job, 0), id)
    await until('countersignatures', async () => {
      const receipts = (await detail())?.receipts ?? []
      return receipts.length === 2 && receipts.every(({ attestations }) => attestations.length === 1)
    })
    const receipts = (await detail())?.receipts ?? []
    expect(new Set(receipts.map(({ executor }) => executor))).toEqual(new Set(executors.map(({ peerId }) => peerId)))
    const stranger = await room.tab({ lend: false })
    const bytes = [...Object.values(receipts[0]?.bytes ?? {})]
    const verdicts = await stranger.page.evaluate(async (values) => {
      const good = Uint8Array.from(values)
      const bad = good.slice()
      const middle = Math.floor(bad.length / 3)
      bad[middle] = (bad[middle] ?? 0) ^ 1
      return [await starling.verifyReceipt(good), await starling.verifyReceipt(bad)]
    }, bytes)
    expect(verdicts[0]?.valid).toBe(true)
    expect(verdicts[1]?.valid).toBe(false)
  })
})
