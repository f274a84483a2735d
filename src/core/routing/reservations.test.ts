import { describe, expect, it } from 'vitest'
import { RELAY_ATTEMPT_TIMEOUT_MS, RELAY_BACKOFF_URGENT_MAX_MS, RESERVATION_RENEWAL_MS } from './limits.ts'
import { Reservations, type ReservationsEffect, type ReservationsEvent } from './reservations.ts'

type Bare<E> = E extends unknown ? Omit<E, 'now' | 'random'> : never

const HOUR_MS = 3_600_000

class Driven {
  readonly machine: Reservations
  now = 1_000_000
  random = 0.5

  constructor(relays: readonly string[], wanted = 2) {
    this.machine = new Reservations({ relays, wanted })
  }

  step(event: Bare<ReservationsEvent>): ReservationsEffect[] {
    return this.machine.step({ ...event, now: this.now, random: this.random } as ReservationsEvent)
  }

  tick(ms = 0): ReservationsEffect[] {
    this.now += ms
    return this.step({ type: 'tick' })
  }

  /** Connects and reserves as a healthy relay does. */
  reserve(relay: string): void {
    this.step({ type: 'connected', relay })
    this.step({ type: 'reserved', relay, expiresAt: this.now + HOUR_MS })
  }

  state(relay: string) {
    return this.machine.view().find((view) => view.relay === relay)?.state
  }
}

describe('Reservations', () => {
  it('[V1] tries relays in their order until enough are reserved', () => {
    const driven = new Driven(['a', 'b', 'c'])
    expect(driven.tick()).toEqual([
      { type: 'connect', relay: 'a' },
      { type: 'connect', relay: 'b' },
    ])
    expect(driven.step({ type: 'connected', relay: 'a' })).toEqual([{ type: 'reserve', relay: 'a' }])
    driven.reserve('a')
    driven.reserve('b')
    expect(driven.tick(60_000)).toEqual([])
    expect(driven.machine.reserved).toBe(2)
    expect(driven.state('c')).toBe('idle')
  })

  it('[V2] leaves a full relay for the next', () => {
    const driven = new Driven(['a', 'b'], 1)
    driven.tick()
    driven.step({ type: 'connected', relay: 'a' })
    const next = driven.step({ type: 'refused', relay: 'a', full: true, error: 'RESERVATION_REFUSED' })
    expect(next).toEqual([{ type: 'connect', relay: 'b' }])
    driven.reserve('b')
    expect(driven.machine.view()[0]).toMatchObject({ state: 'full', lastError: 'RESERVATION_REFUSED' })
    expect(driven.tick(60_000)).toEqual([])
  })

  it('[V2] asks the only relay again when it is full', () => {
    const driven = new Driven(['a'])
    driven.tick()
    driven.step({ type: 'connected', relay: 'a' })
    driven.step({ type: 'refused', relay: 'a', full: true, error: 'full' })
    expect(driven.tick(5_000)).toEqual([])
    expect(driven.tick(30_000)).toEqual([{ type: 'connect', relay: 'a' }])
  })

  it('[V3] asks again at once for a lost reservation, and is back within 15 s of a restart however long it took', () => {
    const driven = new Driven(['a'])
    driven.tick()
    driven.reserve('a')
    driven.step({ type: 'lost', relay: 'a' })
    expect(driven.tick(500)).toEqual([{ type: 'connect', relay: 'a' }])
    let waitedMax = 0
    for (let i = 0; i < 100; i++) {
      driven.random = (i % 10) / 10
      driven.step({ type: 'connect-failed', relay: 'a', error: 'refused' })
      let waited = 0
      while (driven.tick(100).length === 0) waited += 100
      waitedMax = Math.max(waitedMax, waited)
    }
    expect(waitedMax).toBeGreaterThan(RELAY_BACKOFF_URGENT_MAX_MS / 3)
    expect(waitedMax).toBeLessThanOrEqual(RELAY_BACKOFF_URGENT_MAX_MS)
  })

  it('[V3] has more patience while another is reserved', () => {
    const driven = new Driven(['a', 'b'])
    driven.tick()
    driven.reserve('a')
    let attempts = 0
    for (let second = 0; second < 300; second++) {
      if (driven.state('b') === 'connecting') driven.step({ type: 'connect-failed', relay: 'b', error: 'refused' })
      attempts += driven.tick(1_000).filter(({ relay }) => relay === 'b').length
    }
    expect(attempts).toBeGreaterThan(4)
    expect(attempts).toBeLessThan(20)
  })

  it('[V4] renews before the end, and asks again when the renewal is refused', () => {
    const driven = new Driven(['a'])
    driven.tick()
    driven.reserve('a')
    expect(driven.tick(HOUR_MS - RESERVATION_RENEWAL_MS - 1_000)).toEqual([])
    expect(driven.tick(2_000)).toEqual([{ type: 'reserve', relay: 'a' }])
    driven.step({ type: 'refused', relay: 'a', full: false, error: 'stream reset' })
    expect(driven.tick(5_000)).toEqual([{ type: 'connect', relay: 'a' }])
  })

  it('[V5] gives up an attempt that is never answered', () => {
    const driven = new Driven(['a', 'b'], 1)
    driven.tick()
    expect(driven.tick(RELAY_ATTEMPT_TIMEOUT_MS)).toEqual([{ type: 'connect', relay: 'b' }])
    expect(driven.machine.view()[0]).toMatchObject({ state: 'failed' })
  })

  it('tries nothing while offline, and everything at once when back', () => {
    const driven = new Driven(['a', 'b'])
    driven.tick()
    for (const relay of ['a', 'b']) driven.step({ type: 'connect-failed', relay, error: 'gone' })
    driven.step({ type: 'offline' })
    expect(driven.tick(600_000)).toEqual([])
    expect(driven.step({ type: 'online' })).toHaveLength(2)
  })

  it('takes a new list, keeping what it holds', () => {
    const driven = new Driven(['a'])
    driven.tick()
    driven.reserve('a')
    expect(driven.step({ type: 'relays', relays: ['a', 'b'] })).toEqual([{ type: 'connect', relay: 'b' }])
    driven.step({ type: 'relays', relays: ['b'] })
    expect(driven.state('a')).toBeUndefined()
    expect(driven.machine.reserved).toBe(0)
  })

  it('ignores what is said of relays it does not know', () => {
    const driven = new Driven([])
    expect(driven.step({ type: 'reserved', relay: 'x', expiresAt: 1 })).toEqual([])
    expect(driven.machine.view()).toEqual([])
  })
})
