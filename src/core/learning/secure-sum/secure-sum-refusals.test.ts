import { describe, expect, test } from 'vitest'
import { messageOf, type RoomInit, SumRoom } from '../../../testing/secure-sum-room.ts'
import { seededBytes } from '../../../testing/seeded-bytes.ts'
import { fromHex } from '../../codec/bytes.ts'
import type { PeerId } from '../../codec/ids.ts'
import type { SecureSumContent, SecureSumMessage, UnmaskBody } from './messages.ts'
import { SecureSum } from './secure-sum.ts'
import { sessionOf } from './session.ts'
import { splitSecret } from './shamir.ts'

/** A room of seven where one peer sends something else than it should. */
function tampered(
  who: number,
  change: (content: SecureSumContent) => SecureSumContent | null,
  more: Partial<RoomInit> = {},
) {
  const peers = new SumRoom({ count: 7, length: 3, seed: 1 }).peers
  return new SumRoom({
    count: 7,
    length: 3,
    seed: 5,
    ...more,
    tamper: (from, content) => (from === peers[who] ? change(content) : content),
  })
}

function expectSum(room: SumRoom, without: readonly number[]): void {
  const contributors = room.peers.filter((_, at) => !without.includes(at))
  const sums = room.all('sum')
  expect(sums.length).toBeGreaterThanOrEqual(room.peers.length - without.length)
  for (const { effect } of sums) {
    expect(effect.contributors).toEqual(contributors)
    expect(effect.values).toEqual(room.plainSum(contributors))
  }
}

const refusals = (room: SumRoom) =>
  new Set(room.all('refused').map(({ effect }) => `${effect.reason} ${room.peers.indexOf(effect.from)}`))
const convictions = (room: SumRoom) =>
  new Set(room.all('evidence').map(({ effect }) => `${effect.reason} ${room.peers.indexOf(effect.against)}`))

describe('SecureSum goes on without whoever', () => {
  test('[Q4] announces a key of low order', () => {
    const room = tampered(4, (content) =>
      content.kind === 'secure-sum-keys'
        ? { ...content, body: { ...content.body, maskKey: fromHex(`01${'00'.repeat(31)}`) } }
        : content,
    ).run()
    expect(refusals(room)).toContain('low-order-key 4')
    expect(convictions(room)).toEqual(new Set(['low-order-key 4']))
    expectSum(room, [4])
  })

  test('[Q4] deals shares that cannot be opened', () => {
    const room = tampered(4, (content) => {
      if (content.kind !== 'secure-sum-shares') return content
      const boxes = content.body.boxes.slice()
      boxes[3] = (boxes[3] as number) ^ 1
      return { ...content, body: { ...content.body, boxes } }
    }).run()
    // One holder has no share of it; the others are enough.
    expect(refusals(room)).toEqual(new Set(['invalid-share 4']))
    expectSum(room, [])
  })

  test('[Q4] deals to too few', () => {
    const room = tampered(4, (content) =>
      content.kind === 'secure-sum-shares'
        ? { ...content, body: { ...content.body, boxes: content.body.boxes.slice(80) } }
        : content,
    ).run()
    expect(convictions(room)).toEqual(new Set(['wrong-shares 4']))
    expectSum(room, [4])
  })

  test('[Q3] masks a vector of another length', () => {
    const room = tampered(4, (content) =>
      content.kind === 'secure-sum-masked' ? { ...content, body: { ...content.body, length: 2 } } : content,
    ).run()
    expect(convictions(room)).toEqual(new Set(['wrong-length 4']))
    expectSum(room, [4])
  })

  test('[Q5] sends another vector than it signed', () => {
    const room = tampered(4, (content) =>
      content.kind === 'secure-sum-masked'
        ? {
            ...content,
            body: { ...content.body, valuesHash: sessionOf(new SumRoom({ count: 3, length: 1, seed: 1 }).terms) },
          }
        : content,
    ).run()
    expect(refusals(room)).toContain('wrong-values 4')
    expectSum(room, [4])
  })

  test('[Q6] reveals a share that its dealer did not give', () => {
    const room = tampered(4, (content) => {
      if (content.kind !== 'secure-sum-unmask') return content
      const own = content.body.own.map(({ of, share }, at) => ({
        of,
        share: at === 0 ? share.map((byte) => byte ^ 1) : share,
      }))
      return { ...content, body: { ...content.body, own } }
    }).run()
    expect(convictions(room)).toEqual(new Set(['invalid-share 4']))
    expectSum(room, [])
  })

  test('[Q6] reveals both shares of somebody', () => {
    const room = tampered(4, (content) => {
      if (content.kind !== 'secure-sum-unmask') return content
      return { ...content, body: { ...content.body, pair: content.body.own.slice(0, 1) } }
    }).run()
    expect(convictions(room)).toEqual(new Set(['both-shares-revealed 4']))
    expectSum(room, [])
  })

  test('[Q6] reveals the share that was not asked for', () => {
    const room = tampered(4, (content) => {
      if (content.kind !== 'secure-sum-unmask') return content
      return {
        ...content,
        body: { ...content.body, own: content.body.own.slice(1), pair: content.body.own.slice(0, 1) },
      }
    }).run()
    expect(convictions(room)).toEqual(new Set(['wrong-shares 4']))
    expectSum(room, [])
  })

  test('[Q1] answers another roster', () => {
    const room = tampered(4, (content) =>
      content.kind === 'secure-sum-masked'
        ? { ...content, body: { ...content.body, roster: new Uint8Array(32) } }
        : content,
    ).run()
    expect(refusals(room)).toContain('wrong-roster 4')
    expectSum(room, [4])
  })

  test('[Q1] speaks of another session: an older round, or the same with other terms', () => {
    const old = new SumRoom({ count: 7, length: 3, seed: 6 }).run()
    const room = new SumRoom({ count: 7, length: 3, seed: 5 })
    for (const message of old.messages) room.broadcast(message)
    room.run()
    expect([...refusals(room)].every((refusal) => refusal.startsWith('wrong-session'))).toBe(true)
    expect(refusals(room).size).toBeGreaterThan(1)
    expectSum(room, [])
    const { terms } = room
    const names = [terms, { ...terms, round: terms.round + 1 }, { ...terms, attempt: 1 }, { ...terms, group: 1 }]
    expect(new Set(names.map(sessionOf)).size).toBe(4)
  })

  test('[Q1] makes two statements in one place', () => {
    const room = new SumRoom({ count: 7, length: 3, seed: 5 })
    room.machines.forEach((_, at) => {
      room.send(at, { type: 'join' })
    })
    room.settle()
    const first = room.messages.find(({ decoded }) => decoded.statement.author === room.peers[4]) as SecureSumMessage
    const content = { kind: first.kind, body: first.decoded.statement.body } as SecureSumContent
    room.broadcast(messageOf(room.peers[4] as PeerId, content, 9))
    room.run()
    expect(convictions(room)).toEqual(new Set(['equivocation 4']))
    expectSum(room, [4])
  })

  test('is not invited: a stranger, and a caller that is none', () => {
    const room = new SumRoom({ count: 7, length: 3, seed: 5, dropouts: new Map([[6, 'before-keys']]) })
    room.run()
    const roster = room.messages.find(({ kind }) => kind === 'secure-sum-roster') as SecureSumMessage
    const masked = room.messages.find(({ kind }) => kind === 'secure-sum-unmask') as SecureSumMessage
    const fresh = new SumRoom({ count: 7, length: 3, seed: 5, dropouts: new Map([[6, 'before-keys']]) })
    fresh.machines.forEach((_, at) => {
      fresh.send(at, { type: 'join' })
      fresh.send(at, { type: 'input', values: fresh.inputs[at] as Int32Array })
    })
    fresh.settle()
    fresh.broadcast(messageOf(room.peers[5] as PeerId, roster.decoded.statement as unknown as SecureSumContent))
    fresh.close('share')
    fresh.close('mask')
    fresh.broadcast(
      messageOf(room.peers[6] as PeerId, {
        kind: 'secure-sum-unmask',
        body: masked.decoded.statement.body as UnmaskBody,
      }),
    )
    fresh.settle()
    expect(refusals(fresh)).toContain('not-a-caller 5')
    fresh.close('unmask')
    expect(refusals(fresh)).toContain('not-a-participant 6')
  })
})

describe('SecureSum fails, and nothing is given away, when', () => {
  test('[Q7] more peers drop out than the threshold allows, at each stage', () => {
    for (const dropout of ['after-keys', 'after-shares'] as const) {
      const dropouts = new Map([4, 5, 6].map((at) => [at, dropout]))
      // Seven need five.
      const room = new SumRoom({ count: 7, length: 3, seed: 3, dropouts }).run()
      expect(room.all('sum'), dropout).toEqual([])
      expect(room.all('failed')[0]?.effect.reason, dropout).toBe('too-few-participants')
      expect(
        room.messages.filter(({ kind }) => kind === 'secure-sum-unmask'),
        dropout,
      ).toEqual([])
    }
    const dropouts = new Map([4, 5, 6].map((at) => [at, 'after-masked' as const]))
    const room = new SumRoom({ count: 7, length: 3, seed: 3, dropouts }).run()
    expect(room.all('sum')).toEqual([])
    room.machines.forEach((_, at) => {
      room.send(at, { type: 'expire' })
    })
    room.settle()
    const failed = room.all('failed')
    expect(failed).toHaveLength(4)
    for (const { effect } of failed) {
      expect(effect.reason).toBe('too-few-shares')
      expect(effect.culprits).toEqual(room.peers.slice(4))
    }
  })

  test('[Q7] a caller leaves too few in a roster: nobody reveals anything', () => {
    const room = tampered(0, (content) =>
      content.kind === 'secure-sum-roster' && content.body.stage === 'unmask'
        ? { ...content, body: { ...content.body, entries: content.body.entries.slice(0, 4) } }
        : content,
    ).run()
    expect(convictions(room)).toEqual(new Set(['exposing-roster 0']))
    expect(room.messages.filter(({ kind }) => kind === 'secure-sum-unmask')).toEqual([])
  })

  test('[Q4] a dealer commits to shares of another secret: its own shares convict it', () => {
    // Built into a statement by hand, it commits to everything it deals, and deals nonsense.
    const dealers = new SumRoom({ count: 7, length: 3, seed: 1 }).peers
    const room = new SumRoom({
      count: 7,
      length: 3,
      seed: 5,
      tamper: (from, content) =>
        from === dealers[4] && content.kind === 'secure-sum-keys'
          ? { ...content, body: { ...content.body, seedCommitment: new Uint8Array(32).fill(1) } }
          : content,
    }).run()
    expect(room.all('sum')).toEqual([])
    expect(convictions(room)).toEqual(new Set(['inconsistent-dealer 4']))
    for (const { effect } of room.all('failed')) {
      expect(effect).toMatchObject({ reason: 'inconsistent-dealer', culprits: [dealers[4]] })
    }
    // Keys, shares, and a threshold of answers.
    expect(room.all('evidence')[0]?.effect.statements).toHaveLength(2 + 5)
  })

  test('[Q3] somebody put in more than the terms allow', () => {
    const room = new SumRoom({
      count: 3,
      length: 2,
      seed: 2,
      coordinateMax: 100,
      inputs: [0, 1, 2].map(() => new Int32Array(2)),
    })
    const wide = new SumRoom({ count: 3, length: 2, seed: 2, coordinateMax: 10_000 })
    expect(wide.terms.coordinateMax).toBe(10_000)
    // A modified client: its masked vector is shifted by 1,000 after masking, and its hash with it.
    const machine = room.machines[1] as SecureSum
    const step = machine.step.bind(machine)
    machine.step = (event) =>
      step(event.type === 'worked' ? { ...event, values: event.values.map((value) => value + 1_000) } : event)
    room.run()
    const failed = room.all('failed').filter(({ at }) => at !== 1)
    expect(failed.map(({ effect }) => effect.reason)).toEqual(['sum-out-of-bounds', 'sum-out-of-bounds'])
    expect(room.all('sum')).toEqual([])
  })
})

describe('SecureSum never gives both secrets of a peer', () => {
  /** A finished mask stage with a slow peer, ready to be unmasked. */
  function slowRoom() {
    const room = new SumRoom({ count: 7, length: 3, seed: 8, dropouts: new Map([[6, 'after-shares']]) })
    room.machines.forEach((_, at) => {
      room.send(at, { type: 'join' })
      room.send(at, { type: 'input', values: room.inputs[at] as Int32Array })
    })
    room.settle()
    room.close('share')
    room.close('mask')
    return room
  }

  test('[Q6] a second, different request to unmask is refused, and both requests are evidence', () => {
    const room = slowRoom()
    room.close('unmask')
    const answers = room.messages.filter(({ kind }) => kind === 'secure-sum-unmask').length
    const roster = room.messages.findLast(({ kind }) => kind === 'secure-sum-roster') as Extract<
      SecureSumMessage,
      { kind: 'secure-sum-roster' }
    >
    const body = roster.decoded.statement.body
    // The same caller now says that the last survivor's vector was lost: it asks for its other secret.
    const watcher = new SecureSum({ terms: room.terms, self: room.peers[3] as PeerId, random: seededBytes(1) })
    const effects = [
      ...room.messages,
      messageOf(
        room.peers[0] as PeerId,
        { kind: 'secure-sum-roster', body: { ...body, entries: body.entries.slice(0, 5) } },
        3,
      ),
    ]
      .filter(({ kind }) => kind !== 'secure-sum-unmask')
      .flatMap((message) => watcher.step({ type: 'message', message }))
    expect(effects).toContainEqual(
      expect.objectContaining({ type: 'refused', from: room.peers[0], reason: 'both-shares-asked' }),
    )
    const evidence = effects.find((effect) => effect.type === 'evidence')
    expect(evidence).toMatchObject({ against: room.peers[0], reason: 'both-shares-asked' })
    expect(evidence?.type === 'evidence' ? evidence.statements : []).toHaveLength(2)
    expect(room.messages.filter(({ kind }) => kind === 'secure-sum-unmask')).toHaveLength(answers)
  })

  test('[Q6] two callers that disagree: the first stands, everybody answers once', () => {
    const room = slowRoom()
    room.close('unmask')
    const roster = room.messages.findLast(({ kind }) => kind === 'secure-sum-roster') as Extract<
      SecureSumMessage,
      { kind: 'secure-sum-roster' }
    >
    const entries = roster.decoded.statement.body.entries.slice(0, 5)
    const fresh = slowRoom()
    // The other caller's comes first at everybody, then the first caller's.
    fresh.broadcast(
      messageOf(fresh.peers[1] as PeerId, {
        kind: 'secure-sum-roster',
        body: { ...roster.decoded.statement.body, entries },
      }),
    )
    fresh.settle()
    fresh.broadcast(roster)
    fresh.settle()
    const answers = fresh.messages.filter(({ kind }) => kind === 'secure-sum-unmask')
    expect(new Set(answers.map(({ decoded }) => decoded.statement.author)).size).toBe(answers.length)
    for (const { decoded } of answers) {
      const { own, pair } = decoded.statement.body as UnmaskBody
      expect(own.map(({ of }) => of)).toEqual(
        entries.map(({ peer }) => peer).filter((peer) => own.some(({ of }) => of === peer)),
      )
      for (const { of } of pair) expect(entries.some(({ peer }) => peer === of)).toBe(false)
    }
  })

  test('[Q8] a slow peer learns the sum, and its late vector stays masked', () => {
    const room = slowRoom()
    room.close('unmask')
    const answers = room.messages.filter(({ kind }) => kind === 'secure-sum-unmask')
    const slow = room.peers[6]
    for (const { decoded } of answers) {
      const { own, pair } = decoded.statement.body as UnmaskBody
      expect(own.some(({ of }) => of === slow)).toBe(false)
      expect(pair.some(({ of }) => of === slow)).toBe(true)
    }
    expectSum(room, [6])
  })
})

describe('SecureSum refuses', () => {
  test('[Q3] an own input beyond its bound, before anything leaves', () => {
    const room = new SumRoom({ count: 3, length: 2, seed: 2, coordinateMax: 100 })
    const machine = room.machines[0] as SecureSum
    for (const bad of [101, -101]) {
      expect(() => machine.step({ type: 'input', values: Int32Array.of(0, bad) })).toThrow(
        expect.objectContaining({ name: 'SumOverflowError', details: { field: 'input', value: bad, limit: 100 } }),
      )
    }
    expect(() => machine.step({ type: 'input', values: new Int32Array(3) })).toThrow(/2 values/)
  })

  test('[Q3] terms whose sum could leave 32 bits', () => {
    const { terms } = new SumRoom({ count: 10, length: 2, seed: 2 })
    expect(() => sessionOf({ ...terms, coordinateMax: 214_748_364 })).not.toThrow()
    expect(() => sessionOf({ ...terms, coordinateMax: 214_748_365 })).toThrow(
      expect.objectContaining({ name: 'SumOverflowError' }),
    )
    expect(() => sessionOf({ ...terms, participantsMin: 2 })).toThrow(/at least 3/)
  })

  test('shares of a secret for holders that are not there', () => {
    expect(() => splitSecret(new Uint8Array(32), { threshold: 3, holders: 2, random: seededBytes(1) })).toThrow(
      /threshold/,
    )
  })
})
