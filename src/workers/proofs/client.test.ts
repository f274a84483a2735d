import { afterEach, describe, expect, it } from 'vitest'
import { sha256Hex } from '../../core/codec/hash.ts'
import type { PeerId } from '../../core/codec/ids.ts'
import { SumRoom, sumPeers } from '../../testing/secure-sum-room.ts'
import { createProofs } from './client.ts'
import type { Commitment, EncodedProof, Proofs, SpawnProofs } from './contract.ts'
import { PROOF_CALLS_WAITING_MAX } from './limits.ts'
import { spawnProofs } from './spawn.node.ts'

const unavailable = expect.objectContaining({ name: 'ProofsUnavailableError' })
const [author] = sumPeers(1) as [PeerId]

const open: Proofs[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

function opened(spawn: SpawnProofs, timeoutMs?: number): Proofs {
  const proofs = createProofs({ spawn, ...(timeoutMs === undefined ? {} : { timeoutMs }) })
  open.push(proofs)
  return proofs
}

async function provedOf(proofs: Proofs, values: Int32Array, onProgress?: (share: number) => void) {
  const { commitment, blinding } = await proofs.commit(values)
  const statement = {
    task: sha256Hex(new Uint8Array([1])),
    round: 1,
    author,
    beacon: new Uint8Array(32),
    commitment,
    length: values.length,
    normMax: 1_000,
    projections: 2,
  }
  const proof = await proofs.prove({ statement, values, blinding }, onProgress)
  return { statement, proof, blinding }
}

describe('proof worker', () => {
  it('commits, proves with progress, and verifies together', { timeout: 60_000 }, async () => {
    const proofs = opened(spawnProofs)
    const shares: number[] = []
    const good = await provedOf(proofs, Int32Array.of(600, -800, 0), (share) => shares.push(share))
    expect(shares.at(-1)).toBe(1)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    const other = await provedOf(proofs, Int32Array.of(1, 2, 3))
    const batch: EncodedProof[] = [
      good,
      { statement: good.statement, proof: other.proof },
      { statement: other.statement, proof: other.proof.slice(1) },
      { statement: { ...other.statement, commitment: new Uint8Array(32).fill(1) }, proof: other.proof },
      other,
    ]
    expect(await proofs.verify(batch)).toEqual(['holds', 'false', 'malformed', 'malformed', 'holds'])
    expect(await proofs.verify([])).toEqual([])
  })

  it('[Z6] opens commitments to what a secure sum gave, whoever dropped out, and to nothing else', {
    timeout: 60_000,
  }, async () => {
    const proofs = opened(spawnProofs)
    const updates = Array.from({ length: 5 }, (_, peer) => Int32Array.of(peer, -7 * peer, 60_000 - peer, 0))
    const made: Commitment[] = []
    for (const values of updates) made.push(await proofs.commit(values))
    const sumOf = (inputs: readonly Int32Array[]) => {
      const length = (inputs[0] as Int32Array).length
      const dropouts = new Map([[3, 'after-shares' as const]])
      const room = new SumRoom({ count: 5, length, seed: 1, coordinateMax: 65_536, inputs, dropouts }).run()
      return (room.all('sum')[0] as { effect: { values: Int32Array } }).effect.values
    }
    const commitments = made.filter((_, peer) => peer !== 3).map(({ commitment }) => commitment)
    const sum = sumOf(made.map(({ summable }) => summable))
    expect([...sum.slice(0, 4)]).toEqual([7, -49, 239_993, 0])
    expect(await proofs.opensSum({ commitments, sum })).toBe(true)
    expect(await proofs.opensSum({ commitments: made.map(({ commitment }) => commitment), sum })).toBe(false)
    for (const at of [0, sum.length - 1])
      expect(await proofs.opensSum({ commitments, sum: sum.with(at, (sum[at] as number) + 1) })).toBe(false)
    // One masks another update than it committed to.
    const lie = made.map(({ summable }, peer) => (peer === 1 ? summable.with(0, 60_000) : summable))
    expect(await proofs.opensSum({ commitments, sum: sumOf(lie) })).toBe(false)
  })

  it('passes errors on by name, and works on', { timeout: 60_000 }, async () => {
    const proofs = opened(spawnProofs)
    await expect(provedOf(proofs, Int32Array.of(601, 800))).rejects.toMatchObject({
      name: 'UnprovableNormError',
      details: { field: 'norm', limit: 1_000 },
    })
    expect((await proofs.commit(Int32Array.of(1))).commitment).toHaveLength(32)
  })
})

describe('createProofs', () => {
  /** Workers that say what the test has them say. */
  function scripted() {
    const workers: { events: Parameters<SpawnProofs>[0]; posted: number[]; terminated: boolean }[] = []
    const spawn: SpawnProofs = (events) => {
      const worker = { events, posted: [] as number[], terminated: false }
      workers.push(worker)
      return {
        post: ({ id }) => worker.posted.push(id),
        terminate: () => {
          worker.terminated = true
        },
      }
    }
    return { workers, spawn }
  }

  it('is cancelled by closing: the worker ends at once, and calls fail', async () => {
    const { workers, spawn } = scripted()
    const proofs = opened(spawn)
    const calls = [proofs.commit(Int32Array.of(1)), proofs.commit(Int32Array.of(2))]
    proofs.close()
    for (const call of calls) await expect(call).rejects.toEqual(unavailable)
    expect(workers).toMatchObject([{ posted: [0], terminated: true }])
    await expect(proofs.commit(Int32Array.of(1))).rejects.toEqual(unavailable)
  })

  it('fails the call of a worker that ends, and goes on with another', async () => {
    const { workers, spawn } = scripted()
    const proofs = opened(spawn)
    const [first, second] = [proofs.commit(Int32Array.of(1)), proofs.commit(Int32Array.of(2))]
    workers[0]?.events.failed('it ran out of memory')
    await expect(first).rejects.toEqual(unavailable)
    workers[0]?.events.message({ type: 'done', id: 1, result: 'from the dead' })
    workers[1]?.events.message({ type: 'done', id: 1, result: 'answer' })
    expect(await second).toBe('answer')
  })

  it('gives up a silent worker; progress is no silence', async () => {
    const { workers, spawn } = scripted()
    const call = opened(spawn, 60).commit(Int32Array.of(1))
    const failed = expect(call).rejects.toEqual(unavailable)
    const started = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 40))
    workers[0]?.events.message({ type: 'progress', id: 0, share: 0.5 })
    await failed
    expect(performance.now() - started).toBeGreaterThanOrEqual(90)
    expect(workers[0]?.terminated).toBe(true)
  })

  it('lets no more than so many wait', async () => {
    const proofs = opened(scripted().spawn)
    const calls = Array.from({ length: PROOF_CALLS_WAITING_MAX + 1 }, () => proofs.commit(Int32Array.of(1)))
    for (const call of calls) call.catch(() => undefined)
    await expect(proofs.commit(Int32Array.of(1))).rejects.toMatchObject({
      name: 'ProofsUnavailableError',
      details: { field: 'waiting', limit: PROOF_CALLS_WAITING_MAX },
    })
  })
})
