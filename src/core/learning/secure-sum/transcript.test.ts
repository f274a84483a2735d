import { describe, expect, test } from 'vitest'
import { chiSquare, chiSquareLimit } from '../../../testing/chi-square.ts'
import { platformAgree, SumRoom, sumPeers } from '../../../testing/secure-sum-room.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import type { PeerId } from '../../codec/ids.ts'
import { drawSecrets, type SumSecrets } from './dealing.ts'
import { publicKeyOf } from './key-agreement.ts'
import { addMask, bytesToValues, ownSeed, pairSeed, valuesToBytes } from './mask.ts'
import { exposedSurvivor } from './sum-roster.ts'

/**
 * What somebody learns of one peer's update from everything that is said, colluding with all but one other peer. Sessions differ by their
 * seed; the update is all zeros, so any pattern that is left would be seen.
 */
const SESSIONS = 64
/** With the sessions 96,000 bytes, 375 of each value. */
const LENGTH = 375
const [VICTIM, FRIEND] = [1, 3]

function secretsIn(seed: number, index: number): SumSecrets {
  // The room gives its machines these bytes, and a machine draws its secrets first.
  return drawSecrets(seededBytes(seed * 1_000 + index))
}

function roomOf(seed: number, options: { inputs?: readonly Int32Array[]; isSlow?: boolean } = {}): SumRoom {
  const inputs = options.inputs ?? [0, 1, 2, 3].map(() => new Int32Array(LENGTH))
  return new SumRoom({ count: 4, length: LENGTH, seed, inputs }).run()
}

/** Takes the mask of a pair out of the victim's vector, as the partner (or whoever has its secret) can. */
function withoutPair(values: Int32Array, of: { room: SumRoom; seed: number; partner: number }): void {
  const [mine, theirs] = [secretsIn(of.seed, VICTIM), secretsIn(of.seed, of.partner)]
  const [myKey, theirKey] = [publicKeyOf(mine.mask), publicKeyOf(theirs.mask)]
  const session = (of.room.machines[0] as { session: Parameters<typeof pairSeed>[1] }).session
  const seed = pairSeed(platformAgree(mine.mask, theirKey), session, [myKey, theirKey])
  const isLower = (of.room.peers[VICTIM] as PeerId) < (of.room.peers[of.partner] as PeerId)
  addMask(values, { seed, sign: isLower ? -1 : 1 })
}

function withoutOwn(values: Int32Array, of: { room: SumRoom; seed: number }): void {
  const session = (of.room.machines[0] as { session: Parameters<typeof ownSeed>[1] }).session
  addMask(values, { seed: ownSeed(secretsIn(of.seed, VICTIM).seed, session), sign: -1 })
}

function maskedOf(room: SumRoom, index: number): Int32Array {
  return bytesToValues(room.vectors.get(room.peers[index] as PeerId) as Uint8Array)
}

function countBytes(counts: number[], values: Int32Array): void {
  for (const byte of valuesToBytes(values)) counts[byte] = (counts[byte] as number) + 1
}

const uniform = (counts: readonly number[]) => {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return chiSquare(
    counts,
    counts.map(() => total / 256),
  )
}

const emptyCounts = () => new Array<number>(256).fill(0)

describe('a single masked update', () => {
  test('[Q8] is uniform to a caller and two colluders, whichever one secret was revealed', { timeout: 60_000 }, () => {
    const [all, summed, slow, nothing] = [emptyCounts(), emptyCounts(), emptyCounts(), emptyCounts()]
    for (let seed = 1; seed <= SESSIONS; seed++) {
      const room = roomOf(seed)
      const values = maskedOf(room, VICTIM)
      countBytes(all, values)
      // Its vector is in the sum: its own mask was revealed, colluders know their pairs, and one honest pair is left.
      const inSum = values.slice()
      withoutOwn(inSum, { room, seed })
      for (const partner of [0, 2]) withoutPair(inSum, { room, seed, partner })
      countBytes(summed, inSum)
      // It was slow: all its pairs were revealed, and its own mask is left.
      const late = values.slice()
      for (const partner of [0, 2, FRIEND]) withoutPair(late, { room, seed, partner })
      countBytes(slow, late)
      // Both secrets together lay the update open: that is why nobody gives both.
      const open = late.slice()
      withoutOwn(open, { room, seed })
      countBytes(nothing, open)
    }
    const limit = chiSquareLimit(255)
    expect(uniform(all)).toBeLessThan(limit)
    expect(uniform(summed)).toBeLessThan(limit)
    expect(uniform(slow)).toBeLessThan(limit)
    // The test's own negative: the update was zeros, and with both secrets it shows.
    expect(nothing[0]).toBe(SESSIONS * LENGTH * 4)
    expect(uniform(nothing)).toBeGreaterThan(limit)
  })

  test('[Q8] two updates that change places leave transcripts of one distribution', { timeout: 60_000 }, () => {
    // All ones against a ramp of large values: as different as two updates can be, with the same sum.
    const first = new Int32Array(LENGTH).fill(1)
    const second = Int32Array.from({ length: LENGTH }, (_, at) => 2_500 * at)
    const zeros = new Int32Array(LENGTH)
    const counts = { straight: emptyCounts(), swapped: emptyCounts() }
    for (let seed = 1; seed <= SESSIONS; seed++) {
      const straight = roomOf(seed, { inputs: [zeros, first, zeros, second] })
      const swapped = roomOf(seed, { inputs: [zeros, second, zeros, first] })
      countBytes(counts.straight, maskedOf(straight, VICTIM))
      countBytes(counts.swapped, maskedOf(swapped, VICTIM))
      expect(straight.all('sum')[0]?.effect.values).toEqual(swapped.all('sum')[0]?.effect.values)
      // With the same randomness, nothing else that is said differs at all: no statement but the hash of the vector depends on the update.
      if (seed <= 20) expect(saidBeside(straight)).toEqual(saidBeside(swapped))
    }
    const statistic = counts.straight.reduce((sum, count, at) => {
      const other = counts.swapped[at] as number
      return sum + (count - other) ** 2 / (count + other)
    }, 0)
    expect(statistic).toBeLessThan(chiSquareLimit(255))
  })
})

/** Everything that is signed but what names vectors: keys, shares, and what is revealed, sorted. */
function saidBeside(room: SumRoom): string[] {
  return room.messages
    .filter(({ kind }) => kind === 'secure-sum-keys' || kind === 'secure-sum-shares')
    .map(({ decoded }) => Buffer.from(decoded.payload).toString('hex'))
    .sort()
}

describe('exposedSurvivor', () => {
  const plan = { degree: 2, threshold: 2, survivorsMin: 3, colludersMax: 0 }
  test('[Q8] names whoever would be left without its neighbours', () => {
    const peers = sumPeers(6)
    const neighbours = new Map(
      peers.map((peer, at) => [peer, [peers[(at + 1) % 6] as PeerId, peers[(at + 5) % 6] as PeerId].sort()]),
    )
    const without = (...gone: number[]) => new Set(peers.filter((_, at) => !gone.includes(at)))
    expect(exposedSurvivor(without(2), { neighbours, plan })).toBeNull()
    expect(exposedSurvivor(without(2, 4), { neighbours, plan })).toBe(peers[3])
    expect(exposedSurvivor(without(2), { neighbours, plan: { ...plan, threshold: 3 } })).toBe(peers[1])
  })
})

describe('a sparse sum', () => {
  test('[Q9] of 60 peers equals the plain sum with dropouts at two stages', { timeout: 60_000 }, () => {
    const dropouts = new Map([
      [7, 'after-shares'],
      [19, 'after-masked'],
      [33, 'after-shares'],
      [48, 'after-masked'],
    ] as const)
    const room = new SumRoom({ count: 60, length: 5, seed: 4, dropouts }).run()
    const sums = room.all('sum')
    expect(sums).toHaveLength(56)
    const contributors = room.peers.filter((_, at) => at !== 7 && at !== 33)
    expect(sums[0]?.effect.contributors).toEqual(contributors)
    expect(sums[0]?.effect.values).toEqual(room.plainSum(contributors))
    expect(room.all('stage')[0]?.effect.threshold).toBe(17)
  })
})
