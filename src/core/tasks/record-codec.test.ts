import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimStore } from '../../testing/sim/sim-store.ts'
import { outcomeOf, simAttestation } from '../../testing/sim/truth.ts'
import { NOW_MS, testJob, testPeer, testSignedReceipt } from '../../testing/task-fixtures.ts'
import {
  forgetJobOps,
  loadJobs,
  loadOutbox,
  loadReceipts,
  loadRequesterRecords,
  recordOps,
  unitKey,
} from './record-codec.ts'
import { BUCKETS, type JobRecord } from './records.ts'

const of = testJob()
const [A, B] = [testPeer(11), testPeer(12)]
const receipts = [A, B].map((executor) => testSignedReceipt(of, { executor, unit: 0 })) as [
  ReturnType<typeof testSignedReceipt>,
  ReturnType<typeof testSignedReceipt>,
]
const record: JobRecord = {
  job: of.job,
  spec: of.spec,
  state: { state: 'running' },
  createdAtMs: NOW_MS,
  excluded: [{ peer: B, reason: 'wrong-result' }],
}
const { outputHash, exitCode, trap, gas, durationUs, costMicroUnits } = receipts[0].receipt
const accepted = {
  unit: 0,
  outputHash,
  exitCode,
  trap,
  gas,
  durationUs,
  costMicroUnits,
  executors: [A, B],
  audited: true,
}
const vote = testSignedReceipt(of, { executor: A, unit: 2 })
const result = { receipt: vote, outcome: outcomeOf(of.job, 2).encoded }
const attestation = simAttestation(
  { manifest: of.job, receipts: [receipts[0].hash] },
  { author: B, nonce: new Uint8Array(16), nowMs: NOW_MS },
)

function filled(): SimStore {
  const store = new SimStore()
  store.write([
    recordOps.job(record),
    recordOps.decided(of.job, { verdict: 'accepted', accepted }),
    recordOps.decided(of.job, { verdict: 'failed', unit: 1, reason: 'attempts' }),
    recordOps.receipts(of.job, 0, receipts),
    recordOps.vote(of.job, vote, true),
    recordOps.failure(of.job, 3, B),
    recordOps.evidence(of.job, B, receipts),
    recordOps.outbox(A, of.job, result),
    ...recordOps.attestation(of.job, attestation, [receipts[0].hash]),
  ])
  return store
}

describe('records', () => {
  it('[L9] come back as they were written', async () => {
    const store = filled()
    const { records, damaged } = await loadRequesterRecords(store)
    expect(damaged).toEqual([])
    expect(records).toEqual({
      jobs: [record],
      decided: [
        { job: of.job, decided: { verdict: 'accepted', accepted } },
        { job: of.job, decided: { verdict: 'failed', unit: 1, reason: 'attempts' } },
      ],
      votes: [{ job: of.job, vote, outcomeStored: true }],
      failures: [{ job: of.job, unit: 3, peer: B }],
    })
    expect((await loadOutbox(store)).outbox).toEqual([{ requester: A, job: of.job, result }])
    expect(await loadReceipts(store, { job: of.job, unit: 0 })).toEqual([
      { receipt: receipts[0], attestations: [attestation.bytes] },
      { receipt: receipts[1], attestations: [] },
    ])
  })

  it('[L9] of finished jobs are listed, but not continued', async () => {
    const store = filled()
    store.write([recordOps.job({ ...record, state: { state: 'done' } })])
    expect((await loadRequesterRecords(store)).records.jobs).toEqual([])
    expect((await loadJobs(store)).jobs).toHaveLength(1)
  })

  it('that are damaged are named and left out, and hurt no others', async () => {
    const store = filled()
    store.write([
      { bucket: BUCKETS.units, key: unitKey(of.job, 0), value: Uint8Array.of(0xff) },
      { bucket: BUCKETS.jobs, key: 'other', value: new Uint8Array(9) },
    ])
    const { records, damaged } = await loadRequesterRecords(store)
    expect(damaged.map(({ key }) => key).sort()).toEqual([unitKey(of.job, 0), 'other'].sort())
    expect(records.jobs).toHaveLength(1)
    expect(records.decided).toHaveLength(1)
  })

  it('of any damage are refused only with named errors', { timeout: 60_000 }, async () => {
    const buckets = [BUCKETS.jobs, BUCKETS.units, BUCKETS.votes, BUCKETS.failures, BUCKETS.outbox]
    const damage = fc.record({ bucket: fc.constantFrom(...buckets), at: fc.nat(), byte: fc.nat(255), cut: fc.nat(3) })
    await fc.assert(
      fc.asyncProperty(damage, async ({ bucket, at, byte, cut }) => {
        const store = filled()
        const key = store.keys(bucket, '')[0] as string
        const value = (store.read(bucket, key) as Uint8Array).slice()
        value[at % value.length] = byte
        store.write([{ bucket, key, value: cut === 0 ? value.subarray(0, at % value.length) : value }])
        await loadRequesterRecords(store)
        await loadOutbox(store)
      }),
      { numRuns: 200 },
    )
  })

  it('of a forgotten job are all gone', async () => {
    const store = filled()
    store.write(await forgetJobOps(store, of.job))
    const left = Object.values(BUCKETS).flatMap((bucket) => store.keys(bucket, ''))
    expect(left.map((key) => key.slice(0, 52))).toEqual([A])
  })
})
