import { describe, expect, it } from 'vitest'
import { NonceRanges } from '../../core/admission/nonce-ranges.ts'
import { leadingZeroBits, nonceBytes } from '../../core/admission/ticket.ts'
import type { MineRequest, SpawnMiner, WorkInit } from './contract.ts'
import { loadArgon2id } from './load.node.ts'
import { Miner } from './miner.ts'
import { spawnMiner } from './spawn.node.ts'

const lent = (workers: number) => () => ({ workers, cpuShare: 1 })
const WORK: WorkInit = {
  challenge: new Uint8Array(32).fill(9),
  memoryKibibytes: 64,
  passes: 1,
  difficultyBits: 10,
}

function search(miner: Miner, ranges: NonceRanges, work = WORK): Promise<bigint> {
  return new Promise((resolve, reject) => {
    miner.start({ work, ranges, onFound: resolve, onFailed: reject, onProgress: () => undefined })
  })
}

/** Workers that only note what they were asked. */
function idleWorkers(): { readonly spawn: SpawnMiner; readonly asked: MineRequest[]; readonly ended: () => number } {
  const asked: MineRequest[] = []
  let ended = 0
  return {
    asked,
    ended: () => ended,
    spawn: (events) => {
      queueMicrotask(() => events.message({ type: 'ready' }))
      return { post: (request) => void asked.push(request), terminate: () => void ended++ }
    },
  }
}

describe('the miner', () => {
  it('finds a proof with two real workers', async () => {
    const miner = new Miner({ spawn: spawnMiner, lent: lent(2) })
    const nonce = await search(miner, new NonceRanges())
    const { challenge: salt, memoryKibibytes, passes } = WORK
    const tag = (await loadArgon2id()).hash({ password: nonceBytes(nonce), salt, memoryKibibytes, passes })
    expect(leadingZeroBits(tag)).toBeGreaterThanOrEqual(WORK.difficultyBits)
    expect(miner.running).toBe(false)
  })

  it('gives different nonces to its workers, and those of a stopped search again to the next', async () => {
    const { spawn, asked, ended } = idleWorkers()
    const miner = new Miner({ spawn, lent: lent(3) })
    const ranges = new NonceRanges()
    void search(miner, ranges)
    await Promise.resolve()
    expect(new Set(asked.map(({ first }) => first)).size).toBe(3)
    miner.stop()
    expect(ended()).toBe(3)
    void search(miner, ranges)
    await Promise.resolve()
    expect(asked.slice(3).map(({ first }) => first)).toEqual(asked.slice(0, 3).map(({ first }) => first))
    miner.stop()
  })

  it('gives up with an error where the kernel cannot run', async () => {
    const miner = new Miner({
      spawn: (events) => {
        queueMicrotask(() => events.failed('no SIMD'))
        return { post: () => undefined, terminate: () => undefined }
      },
      lent: lent(6),
    })
    await expect(search(miner, new NonceRanges())).rejects.toMatchObject({ name: 'MinerUnavailableError' })
  })
})
