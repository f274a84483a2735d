import { describe, expect, it } from 'vitest'
import {
  ANNOUNCE_SPACING_MS,
  DIAL_BACKOFF_MAX_MS,
  DIALS_PARALLEL_MAX,
  DIRECT_FAILURES_BEFORE_RELAYED,
  KNOWN_PEERS_MAX,
  KNOWN_TTL_MS,
  TIE_BREAK_MS,
} from './limits.ts'
import { Mesh, type MeshEffect, type MeshEvent } from './mesh.ts'

type Bare<E> = E extends unknown ? Omit<E, 'now' | 'random'> : never

/** A mesh with a clock and a small seeded generator. */
class Driven {
  readonly mesh: Mesh
  now = 1_000_000
  effects: MeshEffect[] = []
  #seed = 1
  #taken = 0

  constructor(init: Partial<ConstructorParameters<typeof Mesh>[0]> = {}) {
    this.mesh = new Mesh({ self: 'M', targetDegree: 6, degreeMax: 8, ...init })
  }

  step(event: Bare<MeshEvent>): MeshEffect[] {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2 ** 31
    const effects = this.mesh.step({ ...event, now: this.now, random: this.#seed / 2 ** 31 } as MeshEvent)
    this.effects.push(...effects)
    return effects
  }

  /** Lets time pass, ticking four times a second. */
  pass(ms: number): MeshEffect[] {
    const effects: MeshEffect[] = []
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 250
      effects.push(...this.step({ type: 'tick' }))
    }
    return effects
  }

  hear(peer: string, seeking = false): void {
    this.step({ type: 'heard', peer, addresses: [`/address/${peer}`], seeking })
  }

  /** The next dial that no call of this has returned, to a peer that keeps being heard, and how long it took to come. */
  nextDial(peer: string): { dial: Extract<MeshEffect, { type: 'dial' }>; ms: number } {
    const start = this.now
    while (this.now - start < 600_000) {
      const dial = this.dials()[this.#taken]
      if (dial !== undefined) {
        this.#taken++
        return { dial, ms: this.now - start }
      }
      this.hear(peer)
      this.pass(250)
    }
    throw new Error('No dial within ten minutes')
  }

  dials(effects: readonly MeshEffect[] = this.effects): Extract<MeshEffect, { type: 'dial' }>[] {
    return effects.filter((effect) => effect.type === 'dial')
  }
}

function able(init?: Partial<ConstructorParameters<typeof Mesh>[0]>): Driven {
  const driven = new Driven(init)
  driven.step({ type: 'able', able: true })
  return driven
}

describe('Mesh', () => {
  it('dials nobody while it cannot', () => {
    const driven = new Driven()
    driven.hear('a')
    driven.pass(10_000)
    expect(driven.effects).toEqual([])
  })

  it('[M1] starts with one dial, allows more with each success, and one again after a failure', () => {
    const driven = able()
    for (const peer of 'abcdefgh') driven.hear(peer)
    driven.pass(2_000)
    expect(driven.mesh.dialling).toBe(1)
    const succeed = () => {
      const [peer] = [driven.dials().at(-1)?.peer ?? '']
      driven.step({ type: 'linked', peer, path: 'direct' })
      driven.step({ type: 'dialled', peer, success: true })
    }
    succeed()
    driven.pass(2_000)
    expect(driven.mesh.dialling).toBe(2)
    expect(driven.mesh.dialling).toBeLessThanOrEqual(DIALS_PARALLEL_MAX)
    for (const { peer } of driven.dials().slice(-2)) driven.step({ type: 'dialled', peer, success: false })
    driven.pass(500)
    expect(driven.mesh.dialling).toBe(1)
  })

  it('[M1] stops at the target degree, dials under way included', () => {
    const driven = able({ targetDegree: 3 })
    for (const peer of 'abcdefgh') driven.hear(peer)
    for (let i = 0; i < 20; i++) {
      driven.pass(2_000)
      for (const { peer } of driven.dials().splice(0)) {
        driven.step({ type: 'linked', peer, path: 'direct' })
        driven.step({ type: 'dialled', peer, success: true })
      }
    }
    expect(driven.mesh.direct).toBe(3)
    expect(driven.dials().length).toBe(3)
    expect(driven.mesh.seeking).toBe(false)
  })

  it('[M2] of two that seek, the smaller id dials at once and the larger waits', () => {
    const smaller = able()
    smaller.hear('Z', true)
    smaller.pass(250)
    expect(smaller.dials()).toHaveLength(1)

    const larger = able()
    larger.hear('A', true)
    larger.pass(TIE_BREAK_MS - 250)
    expect(larger.dials()).toHaveLength(0)
    larger.pass(500)
    expect(larger.dials()).toHaveLength(1)
  })

  it('[M2] the larger id dials at once somebody who does not seek, and not at all who has linked meanwhile', () => {
    const content = able()
    content.hear('A', false)
    content.pass(250)
    expect(content.dials()).toHaveLength(1)

    const linked = able()
    linked.hear('A', true)
    linked.step({ type: 'linked', peer: 'A', path: 'direct' })
    linked.pass(60_000)
    expect(linked.dials()).toHaveLength(0)
  })

  it('[M3] tries again at once, then with growing pauses up to the longest', () => {
    const driven = able()
    const pauses: number[] = []
    for (let i = 0; i < 14; i++) {
      const { ms } = driven.nextDial('A')
      pauses.push(ms)
      driven.now += 1_000
      driven.step({ type: 'dialled', peer: 'A', success: false })
    }
    pauses.shift()
    expect(pauses[0]).toBeLessThanOrEqual(250)
    expect(pauses[4]).toBeGreaterThan(pauses[1] ?? 0)
    expect(Math.max(...pauses)).toBeLessThanOrEqual(DIAL_BACKOFF_MAX_MS + 250)
    expect(pauses.at(-1)).toBeGreaterThan(DIAL_BACKOFF_MAX_MS / 3)
  })

  it('[M4] after three failures keeps a link over the relay, and goes on trying for a direct one', () => {
    const driven = able()
    const paths: string[] = []
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      const { dial, ms } = driven.nextDial('A')
      paths.push(dial.path)
      pauses.push(ms)
      driven.now += 1_000
      if (dial.path === 'relayed') driven.step({ type: 'linked', peer: 'A', path: 'relayed' })
      driven.step({ type: 'dialled', peer: 'A', success: dial.path === 'relayed' })
    }
    expect(pauses[4]).toBeGreaterThan(2_000)
    expect(paths.slice(0, DIRECT_FAILURES_BEFORE_RELAYED)).toEqual(['direct', 'direct', 'direct'])
    expect(paths.slice(DIRECT_FAILURES_BEFORE_RELAYED)).toEqual(['relayed', 'direct', 'direct'])
    expect(driven.mesh.relayed).toBe(1)
    expect(driven.mesh.direct).toBe(0)
  })

  it('[M5] drops the youngest link above the maximum', () => {
    const driven = able({ degreeMax: 2, targetDegree: 2 })
    for (const peer of ['a', 'b', 'c']) {
      driven.step({ type: 'linked', peer, path: 'direct' })
      driven.now += 1_000
    }
    expect(driven.effects.filter(({ type }) => type === 'drop')).toEqual([{ type: 'drop', peer: 'c' }])
  })

  it('[M5] a link that ends at once counts as a failure; one that held does not', () => {
    const driven = able()
    const link = (heldMs: number) => {
      driven.nextDial('A')
      driven.step({ type: 'linked', peer: 'A', path: 'direct' })
      driven.step({ type: 'dialled', peer: 'A', success: true })
      driven.now += heldMs
      driven.hear('A')
      driven.step({ type: 'unlinked', peer: 'A' })
    }
    link(60_000)
    const { ms: afterHeld } = driven.nextDial('A')
    expect(afterHeld).toBeGreaterThanOrEqual(1_000)
    expect(afterHeld).toBeLessThanOrEqual(2_250)
    driven.step({ type: 'dialled', peer: 'A', success: true })
    driven.step({ type: 'linked', peer: 'A', path: 'direct' })
    driven.step({ type: 'unlinked', peer: 'A' })
    expect(driven.nextDial('A').ms).toBeLessThanOrEqual(250)
    driven.step({ type: 'dialled', peer: 'A', success: false })
    expect(driven.nextDial('A').ms).toBeGreaterThanOrEqual(1_000)
  })

  it('[M6] announces when its addresses change, but never twice in a second', () => {
    const driven = able()
    driven.pass(1_000)
    driven.effects = []
    let announcements = 0
    for (let i = 0; i < 40; i++) {
      announcements += driven.step({ type: 'readdressed' }).filter(({ type }) => type === 'announce').length
      announcements += driven.pass(250).filter(({ type }) => type === 'announce').length
    }
    expect(announcements).toBeGreaterThan(5)
    expect(announcements).toBeLessThanOrEqual(10_000 / ANNOUNCE_SPACING_MS + 1)
  })

  it('[M6] asks others whom they know at once and while it seeks, and not when it is content', () => {
    const driven = able({ targetDegree: 1 })
    expect(driven.effects.filter(({ type }) => type === 'exchange')).toHaveLength(1)
    expect(driven.pass(30_000).filter(({ type }) => type === 'exchange').length).toBeGreaterThan(4)
    driven.step({ type: 'linked', peer: 'a', path: 'direct' })
    expect(driven.pass(30_000).filter(({ type }) => type === 'exchange')).toHaveLength(0)
  })

  it('[M7] waking up clears all pauses', () => {
    const driven = able()
    driven.hear('A')
    for (let i = 0; i < 3; i++) {
      driven.pass(20_000)
      driven.hear('A')
      driven.step({ type: 'dialled', peer: 'A', success: false })
    }
    const before = driven.dials().length
    driven.step({ type: 'woke' })
    driven.pass(250)
    expect(driven.dials().length).toBe(before + 1)
  })

  it('forgets who is not heard of any more, and remembers a bounded number', () => {
    const driven = new Driven()
    for (let i = 0; i < KNOWN_PEERS_MAX + 50; i++) {
      driven.now++
      driven.hear(`peer ${i}`)
    }
    expect(driven.mesh.known).toBe(KNOWN_PEERS_MAX)
    driven.pass(KNOWN_TTL_MS + 1_000)
    expect(driven.mesh.known).toBe(0)
  })

  it('never dials itself, nor a peer without addresses', () => {
    const driven = able()
    driven.hear('M')
    driven.step({ type: 'heard', peer: 'A', addresses: [], seeking: true })
    driven.pass(10_000)
    expect(driven.dials()).toHaveLength(0)
  })
})
