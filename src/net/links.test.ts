import type { Connection, Stream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loopbackHost } from '../testing/loopback-host.ts'
import type { Host } from './host.ts'
import { DUPLICATE_GRACE_MS, SPARE_CONNECTION_MS } from './limits.ts'
import { Links } from './links.ts'

const PROTOCOL = '/test/none/1.0.0'

interface Side {
  readonly host: Host
  readonly links: Links
  readonly id: string
  moves: number
  changes: string[]
  inbound: Stream[]
}

/** Two real hosts on loopback; the time that passes between their connections and a look at them is given. */
describe('links', () => {
  let sides: [smaller: Side, larger: Side]
  let passedMs = 0

  beforeEach(async () => {
    passedMs = 0
    const made = await Promise.all([side(), side()])
    sides = made.sort((a, b) => (a.id < b.id ? -1 : 1)) as [Side, Side]
  })

  afterEach(() => Promise.all(sides.map(({ host }) => host.node.stop())))

  async function side(): Promise<Side> {
    const host = await loopbackHost()
    const links = new Links({
      node: host.node,
      now: () => Date.now() + passedMs,
      isRelay: () => false,
      onChange: (_, { before, path }) => made.changes.push(`${before} to ${path}`),
      onMove: () => made.moves++,
      isBusy: ({ streams }) => streams.some(({ protocol }) => protocol === PROTOCOL),
    })
    const made: Side = { host, links, id: host.node.peerId.toString(), moves: 0, changes: [], inbound: [] }
    await host.node.handle(PROTOCOL, (stream) => void made.inbound.push(stream))
    return made
  }

  async function dial(from: Side, to: Side): Promise<Connection> {
    const before = open(to, from).length
    const connection = await from.host.node.dial(to.host.node.getMultiaddrs(), { force: true })
    await until(() => open(to, from).length > before)
    return connection
  }

  const open = (from: Side, to: Side) =>
    from.host.node.getConnections().filter((one) => one.status === 'open' && one.remotePeer.toString() === to.id)

  const tidy = () => {
    for (const { links } of sides) links.tidy()
  }

  it('prefers, on both sides, what the smaller id dialled, from the moment it is there', async () => {
    const [smaller, larger] = sides
    await dial(larger, smaller)
    const kept = await dial(smaller, larger)
    expect(smaller.links.best(larger.id)?.id).toBe(kept.id)
    expect(smaller.changes).toEqual(['undefined to direct'])
    expect(larger.links.best(smaller.id)?.direction).toBe('inbound')
    expect(sides.map(({ moves }) => moves)).toEqual([1, 1])
    await dial(larger, smaller)
    expect(smaller.links.best(larger.id)?.id).toBe(kept.id)
    expect(sides.map(({ moves }) => moves)).toEqual([1, 1])
  })

  it('prefers the newer of two that the same side dialled: the older may end at a process that is gone', async () => {
    const [smaller, larger] = sides
    const first = await dial(larger, smaller)
    // Connections are told apart by the millisecond in which they opened.
    await until(() => Date.now() > first.timeline.open + 2)
    const accepted = open(smaller, larger)[0]
    const second = await dial(larger, smaller)
    expect(larger.links.best(smaller.id)?.id).toBe(second.id)
    const acceptedNext = open(smaller, larger).find((connection) => connection !== accepted)
    expect(smaller.links.best(larger.id)?.id).toBe(acceptedNext?.id)
  })

  it('closes the other after a grace, and not while something is on its way over it', async () => {
    const [smaller, larger] = sides
    const spare = await dial(larger, smaller)
    const stream = await spare.newStream(PROTOCOL)
    await dial(smaller, larger)
    tidy()
    expect(open(larger, smaller).length).toBe(2)
    passedMs = DUPLICATE_GRACE_MS + 100
    tidy()
    expect(open(larger, smaller).length).toBe(2)
    await Promise.all([stream.close(), ...smaller.inbound.map((inbound) => inbound.close())])
    await until(() => spare.streams.every(({ protocol }) => protocol !== PROTOCOL))
    tidy()
    expect(larger.links.best(smaller.id)?.direction).toBe('inbound')
    await until(() => open(larger, smaller).length === 1 && open(smaller, larger).length === 1)
    expect(larger.links.path(smaller.id)).toBe('direct')
  })

  it('does not wait for ever for what is on its way', async () => {
    const [smaller, larger] = sides
    const spare = await dial(larger, smaller)
    await spare.newStream(PROTOCOL)
    await dial(smaller, larger)
    passedMs = SPARE_CONNECTION_MS + 100
    tidy()
    await until(() => open(larger, smaller).length === 1 && open(smaller, larger).length === 1)
  })

  it('opens nothing on a connection that it is closing', async () => {
    const [smaller, larger] = sides
    const spare = await dial(larger, smaller)
    await dial(smaller, larger)
    passedMs = DUPLICATE_GRACE_MS + 100
    larger.links.tidy()
    larger.links.doubt(larger.links.best(smaller.id) as Connection)
    expect(larger.links.best(smaller.id)?.id).not.toBe(spare.id)
  })

  it('prefers any other to one whose streams ended by themselves, and that one to none', async () => {
    const [smaller, larger] = sides
    const lost = await dial(smaller, larger)
    const opening = smaller.links.moved(larger.id)
    smaller.links.doubt(lost)
    expect(smaller.links.best(larger.id)?.id).toBe(lost.id)
    expect(opening?.aborted).toBe(false)
    await dial(larger, smaller)
    expect(smaller.links.best(larger.id)?.direction).toBe('inbound')
    // Who dialled may be another process with the same key, to which nothing has been said yet.
    expect(smaller.changes).toEqual(['undefined to direct', 'direct to undefined', 'undefined to direct'])
    expect(smaller.moves).toBe(0)
    expect(opening?.aborted).toBe(true)
    expect(smaller.links.moved(larger.id)?.aborted).toBe(false)
  })

  it('of two that are both in doubt prefers the newer, whoever dialled it', async () => {
    const [smaller, larger] = sides
    const older = await dial(smaller, larger)
    await until(() => Date.now() > older.timeline.open + 2)
    await dial(larger, smaller)
    smaller.links.doubt(older)
    smaller.links.doubt(smaller.links.best(larger.id) as Connection)
    expect(smaller.links.best(larger.id)?.direction).toBe('inbound')
  })

  it('doubts no longer what answers', async () => {
    const [smaller, larger] = sides
    const connection = await dial(smaller, larger)
    smaller.links.doubt(connection)
    smaller.links.answered(larger.id, { rttMs: 1 })
    await dial(larger, smaller)
    expect(smaller.links.best(larger.id)?.id).toBe(connection.id)
    expect(smaller.changes).toEqual(['undefined to direct'])
  })

  it('a peer that does not answer loses the connections over which it was asked, and not one made since', async () => {
    const [smaller, larger] = sides
    const asked = await dial(smaller, larger)
    await until(() => Date.now() > asked.timeline.open + 2)
    const askedAt = Date.now() - 1
    await dial(larger, smaller)
    smaller.links.drop(larger.id, new Error('no answer'), askedAt)
    await until(() => smaller.changes.length === 3)
    expect(smaller.changes).toEqual(['undefined to direct', 'direct to undefined', 'undefined to direct'])
    expect(open(smaller, larger).length).toBe(1)
    smaller.links.drop(larger.id, new Error('one too many'))
    await until(() => smaller.changes.length === 4)
    expect(open(smaller, larger).length).toBe(0)
    expect(smaller.links.path(larger.id)).toBe(undefined)
  })
})

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Not within 20 s: ${condition}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
