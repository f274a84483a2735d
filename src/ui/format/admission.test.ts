import { describe, expect, it } from 'vitest'
import type { AdmissionInfo, MiningInfo } from '../../node/admission-contract.ts'
import { admissionReason, etaWords, miningWords } from './admission.ts'

const plain = (text: string): string => text.replaceAll('\u202f', ' ').replaceAll('\u00a0', ' ')

const mining: MiningInfo = {
  state: 'running',
  workers: 2,
  difficultyBits: 16,
  memoryKibibytes: 2_048,
  epoch: 1,
  hashes: 21_408,
  hashesExpected: 65_536,
  hashesPerSecond: 1_412,
  etaMs: 46_412,
  elapsedMs: 0,
}

describe('mining in words', () => {
  it('says how far it is, how fast, and how long on average', () => {
    expect(plain(miningWords(mining))).toBe('21.4 k tries of about 65.5 k · 1,410 tries/s on 2 cores')
    expect(plain(etaWords(mining))).toBe('About 46.4 s more on average; luck decides.')
  })

  it('says when it rests, and promises nothing before it is measured', () => {
    const paused: MiningInfo = { ...mining, state: 'paused' }
    expect(plain(miningWords(paused))).toBe('21.4 k tries of about 65.5 k · paused')
    expect(etaWords({ ...mining, etaMs: null })).toContain('Measuring')
  })
})

it('why this tab is a guest names what can be done, and an unknown reason is shown rather than hidden', () => {
  const info = { state: 'guest', reason: { code: 'no-invite' } } as AdmissionInfo
  expect(admissionReason(info)).toContain('QR code')
  const unknown = { state: 'refused', reason: { code: 'NewError', detail: 'value is 3' } } as AdmissionInfo
  expect(admissionReason(unknown)).toBe('NewError: value is 3')
})
