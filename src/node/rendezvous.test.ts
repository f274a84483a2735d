import { expect, it } from 'vitest'
import { inviteUrlOf, readRendezvous } from './rendezvous.ts'

it('inviteUrlOf gives a link that works from another machine where there is one', () => {
  const urls = ['https://192.168.1.5:4000/', 'https://10.0.0.2:4000/']
  expect(inviteUrlOf('http://localhost:4000/', { urls })).toBe('https://192.168.1.5:4000/')
  expect(inviteUrlOf('http://127.0.0.1:4000/', { urls: [] })).toBe('http://127.0.0.1:4000/')
  expect(inviteUrlOf('https://room.example/', { urls })).toBe('https://room.example/')
})

it('readRendezvous takes relays without page addresses, and refuses what is no rendezvous', () => {
  const card = { networkId: 'a', multiaddrs: [], version: '1', name: 'x', policy: 'AAAA' }
  expect(readRendezvous(JSON.stringify(card)).urls).toEqual([])
  for (const wrong of [
    '',
    '{}',
    JSON.stringify({ ...card, networkId: '' }),
    JSON.stringify({ ...card, urls: ['no url'] }),
    JSON.stringify({ ...card, policy: undefined }),
    JSON.stringify({ ...card, policy: 'not base64!' }),
  ]) {
    expect(() => readRendezvous(wrong)).toThrow()
  }
})
