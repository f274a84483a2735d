// Tests for docs/PROTOCOL.md, [A14] and [A15].
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Diversity, type Origin } from './diversity.ts'
import { SUBNET_SHARE_PPM } from './limits.ts'
import { isPrivateAddress, subnetOf } from './subnet.ts'

const at = (address: string): Origin => ({ kind: 'address', address })
const make = (exemptPrivate = true): Diversity => new Diversity({ sharePpm: SUBNET_SHARE_PPM, exemptPrivate })

/** `count` connections, each from a subnet of its own. */
function filled(count: number): Diversity {
  const diversity = make()
  for (let i = 0; i < count; i++) diversity.add(`other ${i}`, at(`8.${i}.0.1`))
  return diversity
}

describe('[A14] subnets', () => {
  it('are /24 of IPv4 and /48 of IPv6, and IPv4 inside IPv6 is IPv4', () => {
    expect(subnetOf('203.0.113.77')).toBe('203.0.113.0/24')
    expect(subnetOf('2001:db8:1:2::3')).toBe('2001:db8:1::/48')
    expect(subnetOf('2001:db8::')).toBe('2001:db8:0::/48')
    expect(subnetOf('::ffff:203.0.113.9')).toBe('203.0.113.0/24')
    expect(subnetOf('::ffff:cb00:7109')).toBe('203.0.113.0/24')
    expect(subnetOf('[2001:db8:1::1]')).toBe('2001:db8:1::/48')
    for (const no of ['', 'x.local', '1.2.3', '256.1.1.1', '1.2.3.4.5', ':::', '1::2::3', '2001:db8:1:2:3:4:5:6:7']) {
      expect(subnetOf(no), no).toBe(null)
    }
  })

  it('of one network are one text, of two are two, for any address', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16))
    fc.assert(
      fc.property(byte, byte, byte, byte, byte, (a, b, c, d, e) => {
        expect(subnetOf(`${a}.${b}.${c}.${d}`)).toBe(subnetOf(`${a}.${b}.${c}.${e}`))
        expect(subnetOf(`${a}.${b}.${c}.${d}`)).not.toBe(subnetOf(`${a}.${b}.${(c + 1) % 256}.${d}`))
      }),
    )
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), group, (groups, other) => {
        const moved = [...groups.slice(0, 3), other, ...groups.slice(4)].join(':')
        expect(subnetOf(moved)).toBe(subnetOf(groups.join(':')))
      }),
    )
  })

  it('knows private addresses by their edges', () => {
    for (const [inside, outside] of [
      ['10.0.0.0', '9.255.255.255'],
      ['10.255.255.255', '11.0.0.0'],
      ['172.16.0.0', '172.15.255.255'],
      ['172.31.255.255', '172.32.0.0'],
      ['192.168.0.0', '192.167.255.255'],
      ['192.168.255.255', '192.169.0.0'],
      ['169.254.0.1', '169.253.0.1'],
      ['100.64.0.0', '100.63.255.255'],
      ['100.127.255.255', '100.128.0.0'],
      ['127.0.0.1', '128.0.0.1'],
      ['::1', '::2'],
      ['fe80::1%eth0', 'fec0::1'],
      ['fdff::1', 'fe00::1'],
      ['fc00::', 'fbff::'],
      ['::ffff:10.0.0.1', '::ffff:11.0.0.1'],
    ] as const) {
      expect(isPrivateAddress(inside), inside).toBe(true)
      expect(isPrivateAddress(outside), outside).toBe(false)
    }
  })
})

describe('[A15] diversity', () => {
  it('takes one from each subnet always, a second one from the tenth connection on', () => {
    for (const others of [0, 1, 7]) {
      const diversity = filled(others)
      diversity.add('a', at('203.0.113.1'))
      expect(() => diversity.add('b', at('203.0.113.2')), `${others}`).toThrow(
        expect.objectContaining({ name: 'SubnetFullError' }),
      )
      expect(diversity.connections).toBe(others + 1)
    }
    const ten = filled(8)
    ten.add('a', at('203.0.113.1'))
    ten.add('b', at('203.0.113.2'))
    expect(ten.count('203.0.113.0/24')).toBe(2)
  })

  it('holds the share at every boundary: the connection that would go over it is refused, the one before is not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (others) => {
        const diversity = filled(others)
        let taken = 0
        try {
          for (;;) {
            diversity.add(`same ${taken}`, at(`203.0.113.${taken}`))
            taken++
          }
        } catch {
          // One more would be over a fifth of all; the first is always taken.
          expect((taken + 1) / (others + taken + 1)).toBeGreaterThan(0.2)
          if (taken > 1) expect(taken / (others + taken)).toBeLessThanOrEqual(0.2)
          expect(taken).toBeGreaterThanOrEqual(1)
        }
      }),
    )
  })

  it('frees a place on disconnect, and moves a connection that finds another path', () => {
    const diversity = filled(4)
    diversity.add('a', at('203.0.113.1'))
    expect(() => diversity.add('b', at('203.0.113.2'))).toThrow()
    diversity.remove('a')
    diversity.remove('a')
    diversity.add('b', at('203.0.113.2'))
    diversity.add('b', at('198.51.100.1'))
    expect(diversity.count('203.0.113.0/24')).toBe(0)
    diversity.add('c', at('203.0.113.3'))
  })

  it('counts relayed connections under their relay, and hidden addresses together', () => {
    const diversity = filled(3)
    diversity.add('a', { kind: 'relay', relay: 'one' })
    diversity.add('b', { kind: 'relay', relay: 'two' })
    expect(() => diversity.add('c', { kind: 'relay', relay: 'one' })).toThrow(/relay one/)
  })

  it('takes three links whose address is hidden, and more up to half of all', () => {
    const diversity = make()
    for (let i = 0; i < 3; i++) diversity.add(`hidden ${i}`, at(''))
    expect(() => diversity.add('one more', at('hidden.invalid'))).toThrow(/unknown/)
    for (let i = 0; i < 4; i++) diversity.add(`other ${i}`, at(`8.${i}.0.1`))
    diversity.add('fourth', at(''))
    expect(() => diversity.add('fifth', at(''))).toThrow(/unknown/)
  })

  it('does not count private addresses where the policy says so', () => {
    const exempt = make(true)
    const strict = make(false)
    for (let i = 0; i < 30; i++) exempt.add(`a${i}`, at(`192.168.0.${i}`))
    for (let i = 0; i < 30; i++) exempt.add(`b${i}`, at(`b${i}.local`))
    strict.add('a', at('192.168.0.1'))
    expect(() => strict.add('b', at('192.168.0.2'))).toThrow()
  })

  it('never forgets to free: any order of coming and going ends at nothing', () => {
    const steps = fc.array(fc.tuple(fc.nat(9), fc.nat(3), fc.boolean()), { maxLength: 100 })
    fc.assert(
      fc.property(steps, (all) => {
        const diversity = make()
        for (const [who, subnet, comes] of all) {
          if (!comes) diversity.remove(`${who}`)
          else {
            try {
              diversity.add(`${who}`, at(`8.8.${subnet}.${who}`))
            } catch {
              // Refused: not counted.
            }
          }
        }
        for (let who = 0; who < 10; who++) diversity.remove(`${who}`)
        expect(diversity.connections).toBe(0)
        for (let subnet = 0; subnet < 4; subnet++) expect(diversity.count(`8.8.${subnet}.0/24`)).toBe(0)
      }),
    )
  })
})
