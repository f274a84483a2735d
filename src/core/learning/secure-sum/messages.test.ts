import { describe, expect, test } from 'vitest'
import { messageOf, SumRoom } from '../../../testing/secure-sum-room.ts'
import type { PeerId } from '../../codec/ids.ts'
import { prepareStatement, sealStatement } from '../../identity/statement.ts'
import { decodeSecureSumMessage, type SecureSumContent, type SecureSumMessage } from './messages.ts'

const room = new SumRoom({ count: 3, length: 2, seed: 1 }).run()
const author = room.peers[0] as PeerId

function sampleOf<Kind extends SecureSumMessage['kind']>(kind: Kind): Extract<SecureSumMessage, { kind: Kind }> {
  return room.messages.find((message) => message.kind === kind) as Extract<SecureSumMessage, { kind: Kind }>
}

/** The bytes of a statement whose body was changed. */
function changed(kind: SecureSumMessage['kind'], change: Record<string, unknown>): Uint8Array {
  const body = { ...sampleOf(kind).decoded.statement.body, ...change }
  const init = { network: 'test', kind, seq: 0, timestampMs: 0, nonce: new Uint8Array(16), body }
  return sealStatement(prepareStatement<unknown>(init, author), new Uint8Array(64)).bytes
}

const KINDS = ['keys', 'roster', 'shares', 'masked', 'unmask'].map(
  (name) => `secure-sum-${name}` as SecureSumMessage['kind'],
)

describe('decodeSecureSumMessage', () => {
  test.each(KINDS)('reads %s as it was made, and no byte less or more', (kind) => {
    const sample = sampleOf(kind)
    const again = messageOf(author, { kind, body: sample.decoded.statement.body } as SecureSumContent)
    expect(again.decoded.statement.body).toEqual(sample.decoded.statement.body)
    const { bytes } = sample.decoded
    expect(() => decodeSecureSumMessage(bytes.slice(0, -1))).toThrow()
    expect(() => decodeSecureSumMessage(new Uint8Array([...bytes, 0]))).toThrow()
  })

  test.each([
    ['secure-sum-keys', { maskKey: new Uint8Array(31) }, 'maskKey'],
    ['secure-sum-keys', { more: 1 }, 'more'],
    ['secure-sum-roster', { stage: 'keys' }, 'stage'],
    ['secure-sum-roster', { entries: [] }, 'entries'],
    [
      'secure-sum-roster',
      { entries: Array.from({ length: 1_001 }, () => ({ peer: author, digest: new Uint8Array(32) })) },
      'entries',
    ],
    ['secure-sum-shares', { boxes: new Uint8Array(80 * 255 + 1) }, 'boxes'],
    ['secure-sum-shares', { commitments: new Uint8Array(63) }, 'commitments'],
    ['secure-sum-masked', { length: 0 }, 'length'],
    ['secure-sum-masked', { length: 1_048_577 }, 'length'],
    ['secure-sum-masked', { valuesHash: 'AB'.repeat(32) }, 'valuesHash'],
    [
      'secure-sum-unmask',
      { own: Array.from({ length: 256 }, () => ({ of: author, share: new Uint8Array(32) })) },
      'own',
    ],
    ['secure-sum-unmask', { pair: [{ of: 'nobody', share: new Uint8Array(32) }] }, 'pair'],
  ] as const)('refuses %s with a wrong %j by the field', (kind, change, field) => {
    expect(() => decodeSecureSumMessage(changed(kind, change))).toThrow(
      expect.objectContaining({ name: 'InvalidMessageError', message: expect.stringContaining(field) }),
    )
  })

  test('refuses another kind of statement', () => {
    const init = { network: 'test', kind: 'receipt', seq: 0, timestampMs: 0, nonce: new Uint8Array(16), body: {} }
    const { bytes } = sealStatement(prepareStatement<unknown>(init, author), new Uint8Array(64))
    expect(() => decodeSecureSumMessage(bytes)).toThrow(expect.objectContaining({ name: 'WrongKindError' }))
  })
})
