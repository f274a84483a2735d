import { describe, expect, it } from 'vitest'
import type { LendingState, NodeSnapshot } from '../../node/contract.ts'
import { lendingSentence, networkSentence, reasonWords, statusSentence } from './reasons.ts'

const plain = (text: string): string => text.replaceAll(' ', ' ')
const NOW = 1_700_000_000_000

const lending = {
  settings: { optedIn: true, workers: 2, cpuShare: 1, pauseOnBattery: true, pauseOnMetered: true },
  workersMax: 8,
  pausedBecause: [],
} as unknown as LendingState

const snapshot = (network: Partial<NodeSnapshot['network']>): NodeSnapshot =>
  ({
    startedAt: NOW - 5_000,
    lending,
    admission: { state: 'admitted' },
    network: { state: 'meshed', reason: null, peers: 7, direct: 3, relayed: 4, ...network },
  }) as unknown as NodeSnapshot

describe('status in one sentence', () => {
  it('says what is lent and who is here', () => {
    const { text, tone } = statusSentence(snapshot({}), NOW)
    expect(plain(text)).toBe('Lending 2 of 8 cores · 7 peers · 3 direct')
    expect(tone).toBe('good')
  })

  it('says that a guest gets no tasks', () => {
    const guest = { ...snapshot({}), admission: { state: 'guest' } } as NodeSnapshot
    const { text, tone } = networkSentence(guest, NOW)
    expect(plain(text)).toBe('Here as a guest: no tasks yet · 7 peers · 3 direct')
    expect(tone).toBe('attention')
  })

  it('says why it is paused', () => {
    const paused = { ...lending, pausedBecause: [{ code: 'battery' }] }
    expect(lendingSentence(paused)).toEqual({ text: 'Paused: on battery', tone: 'attention' })
  })

  it('says what it looks for and for how long', () => {
    const looking = snapshot({
      state: 'connecting',
      peers: 0,
      reason: { code: 'relay-unreachable', detail: String(NOW - 12_000) },
    })
    expect(networkSentence(looking, NOW).text).toBe(
      'Looking for the relay: the relay does not answer; trying again, 12 s',
    )
  })

  it('shows a code it does not know rather than nothing', () => {
    expect(reasonWords({ code: 'some-new-reason', detail: 'x' })).toBe('some new reason (x)')
  })
})
