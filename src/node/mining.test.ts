import { beforeAll, expect, it } from 'vitest'
import { type Beacon, derivedBeacon } from '../core/admission/beacon.ts'
import { DIFFICULTY_BITS_CEILING, WORK_MEMORY_KIBIBYTES_MIN } from '../core/admission/limits.ts'
import { defaultPolicy, type FoundedNetwork, foundNetwork } from '../core/admission/policy.ts'
import type { RootId } from '../core/codec/ids.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { testSigner } from '../testing/signers.ts'
import { spawnMiner } from '../workers/pow/spawn.node.ts'
import { Mining } from './mining.ts'

const founder = testSigner(1)
// A root identity is the peer id of its key.
const ROOT = founder.author as string as RootId
let network: FoundedNetwork
let beacon: Beacon

beforeAll(async () => {
  const policy = defaultPolicy('open', 'an open network', null)
  const work = {
    ...policy.work,
    memoryKibibytes: WORK_MEMORY_KIBIBYTES_MIN,
    difficultyBitsMax: DIFFICULTY_BITS_CEILING,
  }
  network = await foundNetwork({ ...policy, work }, { founder, nowMs: 1_800_000_000_000, nonce: new Uint8Array(16) })
  // So hard that no search of this test ends by itself.
  beacon = { ...derivedBeacon(network, 7), difficultyBits: DIFFICULTY_BITS_CEILING }
})

function miningOn(store: MemoryStore): Mining {
  const unexpected = (what: unknown) => {
    throw new Error(`Not expected: ${String(what)}`)
  }
  const lent = () => ({ workers: 1, cpuShare: 1 })
  return new Mining({ network, store, spawn: spawnMiner, lent, onFound: unexpected, onFailed: unexpected })
}

const hashesOf = (mining: Mining): number => mining.info()?.hashes ?? 0

async function untilBeyond(mining: Mining, hashes: number): Promise<void> {
  while (hashesOf(mining) <= hashes) await new Promise((resolve) => setTimeout(resolve, 10))
}

it('[A13] rests when told to, goes on with the same search, and after a restart too', async () => {
  const store = new MemoryStore()
  const first = miningOn(store)
  await first.run(ROOT, beacon)
  await untilBeyond(first, 0)
  first.rest()
  const tried = hashesOf(first)
  expect(first.info()).toMatchObject({ state: 'paused', hashesPerSecond: 0, etaMs: null, hashes: tried })
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(hashesOf(first)).toBe(tried)

  await first.run(ROOT, beacon)
  expect(first.info()?.state).toBe('running')
  await untilBeyond(first, tried)
  first.stop()
  await first.save()

  const second = miningOn(store)
  await second.run(ROOT, beacon)
  expect(hashesOf(second)).toBe(hashesOf(first))
  second.stop()
})

it('[A13] begins anew for another beacon, and forgets a search that is not wanted any more', async () => {
  const mining = miningOn(new MemoryStore())
  await mining.run(ROOT, beacon)
  await untilBeyond(mining, 0)
  await mining.run(ROOT, { ...beacon, ...derivedBeacon(network, 8), difficultyBits: DIFFICULTY_BITS_CEILING })
  expect(mining.info()).toMatchObject({ epoch: 8, hashes: 0 })
  mining.drop()
  expect(mining.info()).toBeNull()
})
