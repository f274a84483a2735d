import * as v from 'valibot'
import { beforeEach, describe, expect, it } from 'vitest'
import { decode, encode } from '../core/codec/cbor.ts'
import { Keepalive } from './keepalive.ts'
import { KEEPALIVE_INTERVAL_MS, KEEPALIVE_SUSPECT_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS } from './limits.ts'

const PEER = 'peer'
const LIMITS = { bytesMax: 512, depthMax: 1, itemsMax: 8 } as const

const schema = v.looseObject({ kind: v.string(), number: v.optional(v.number()) })

describe('keepalive', () => {
  let nowMs: number
  let sent: v.InferOutput<typeof schema>[]
  let answers: { rttMs: number; clockOffsetMs: number }[]
  let dead: number[]
  let keepalive: Keepalive

  beforeEach(() => {
    nowMs = 1_000_000
    sent = []
    answers = []
    dead = []
    keepalive = new Keepalive({
      network: 'test',
      relay: false,
      now: () => nowMs,
      send: (_, message) => sent.push(decode(message, { what: 'link', limits: LIMITS, schema })),
      onAnswer: (_, answer) => answers.push(answer),
      onStranger: () => {},
      onDead: (_, askedAt) => dead.push(askedAt),
    })
    keepalive.linked(PEER)
  })

  const pass = (ms: number): void => {
    for (const end = nowMs + ms; nowMs < end; ) {
      nowMs = Math.min(end, nowMs + 250)
      keepalive.tick({ lagMs: 0, isRelayed: () => false, isRelay: () => false })
    }
  }
  const answer = (number: number): void =>
    keepalive.receive(PEER, encode({ kind: 'pong', number, clock: nowMs + 5_000 }))
  const pings = () => sent.filter(({ kind }) => kind === 'ping').map(({ number }) => number)

  it('greets, asks, and measures from the second question on', () => {
    expect(sent).toEqual([
      { kind: 'hello', network: 'test', relay: false },
      { kind: 'ping', number: 1 },
    ])
    nowMs += 900
    answer(1)
    expect(answers).toEqual([])
    nowMs += 40
    answer(2)
    expect(answers).toEqual([{ rttMs: 40, clockOffsetMs: 5_020 }])
    pass(KEEPALIVE_INTERVAL_MS)
    expect(pings()).toEqual([1, 2, 3])
  })

  it('asks again what is not answered, and takes a late answer as a sign of life, not as a measure', () => {
    answer(1)
    pass(KEEPALIVE_INTERVAL_MS)
    expect(pings()).toEqual([1, 2, 2])
    pass(KEEPALIVE_INTERVAL_MS)
    expect(pings()).toEqual([1, 2, 2, 2])
    answer(2)
    expect(answers).toEqual([])
    pass(KEEPALIVE_TIMEOUT_MS)
    expect(pings()).toEqual([1, 2, 2, 2, 3, 3, 3])
    expect(dead).toEqual([])
    nowMs += 10
    answer(3)
    pass(KEEPALIVE_INTERVAL_MS)
    nowMs += 10
    answer(4)
    expect(answers).toEqual([{ rttMs: 10, clockOffsetMs: 5_005 }])
  })

  it('gives up who answers nothing, and says since when it was asked', () => {
    answer(1)
    const askedAt = nowMs
    pass(KEEPALIVE_TIMEOUT_MS)
    expect(dead).toEqual([])
    pass(250)
    expect(dead).toEqual([askedAt])
    pass(KEEPALIVE_TIMEOUT_MS)
    expect(dead).toEqual([askedAt])
  })

  it('has less patience once the streams of a peer have ended, and counts anything it sends', () => {
    answer(1)
    keepalive.suspect(PEER)
    pass(KEEPALIVE_SUSPECT_TIMEOUT_MS)
    keepalive.heard(PEER)
    pass(KEEPALIVE_SUSPECT_TIMEOUT_MS)
    expect(dead).toEqual([])
    pass(250)
    expect(dead.length).toBe(1)
  })
})
