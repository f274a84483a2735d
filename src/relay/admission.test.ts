import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readBeacon } from '../core/admission/beacon.ts'
import { EPOCH_MS } from '../core/admission/limits.ts'
import { encodeTicket } from '../core/admission/ticket.ts'
import { verifyTicket } from '../core/admission/verify-ticket.ts'
import type { RootId } from '../core/codec/ids.ts'
import { signCertificate } from '../core/identity/certificate.ts'
import { encodeLineage, extendLineage, newLineage } from '../core/identity/lineage.ts'
import { signRevocation } from '../core/identity/revocation.ts'
import { rootIdOf } from '../core/identity/root.ts'
import { capabilitySigner, inviteLink, inviteOf, parseCapability, parseInvite } from '../node/capability.ts'
import { makeVolatileDeviceKey } from '../storage/device-key-file.node.ts'
import { testSigner, testVerifier } from '../testing/signers.ts'
import { openGate, type RelayGate } from './admission.ts'
import { BeaconKeeper } from './beacon-keeper.ts'
import { findOrFound, makeInvite, type PolicyWish } from './founding.ts'

const founder = testSigner(1)
const NOW = 700 * EPOCH_MS + 5
const folder = (): string => mkdtempSync(join(tmpdir(), 'starling-founding-'))
const open = (dataDir: string | null, wish: PolicyWish = {}) =>
  findOrFound(dataDir, { wish, founder, verifier: testVerifier, nowMs: NOW })

describe('[A1] the network of a relay', () => {
  it('is a room by default, founded once and kept with its capability', async () => {
    const dataDir = folder()
    const first = await open(dataDir, { name: 'ours' })
    expect(first.network.policy).toMatchObject({ kind: 'room', name: 'ours', quotas: false, subnetLimits: false })
    expect(capabilitySigner(first.capability as Uint8Array).author).toBe(first.network.policy.inviteKey)
    const again = await open(dataDir)
    expect(again.network.networkId).toBe(first.network.networkId)
    expect(again.capability).toEqual(first.capability)
    for (const file of ['policy', 'capability']) expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600)
  })

  it('is a new one each time where nothing is kept', async () => {
    const [one, two] = [await open(null), await open(null)]
    expect(one.network.networkId).not.toBe(two.network.networkId)
    expect(one.capability).not.toEqual(two.capability)
  })

  it('takes the wishes of its founder, and is not another kind later', async () => {
    const dataDir = folder()
    const { network, capability } = await open(dataDir, { kind: 'open', changes: { work: { difficultyBitsMin: 18 } } })
    expect(network.policy).toMatchObject({ kind: 'open', quotas: true, subnetLimits: true, beacon: 'founder' })
    expect(network.policy.work).toMatchObject({ difficultyBitsMin: 18, difficultyBitsMax: 24 })
    expect(capability).toBe(null)
    await expect(open(dataDir, { kind: 'room' })).rejects.toMatchObject({ name: 'RelayPolicyError' })
    await expect(open(null, { kind: 'open', changes: { epochMs: 1 } })).rejects.toMatchObject({
      name: 'InvalidMessageError',
    })
  })

  it('is not started over when its policy is damaged: peers would lose their network', async () => {
    const dataDir = folder()
    await open(dataDir)
    const file = join(dataDir, 'policy')
    writeFileSync(file, readFileSync(file).subarray(0, 40))
    await expect(open(dataDir)).rejects.toMatchObject({ name: 'RelayPolicyError' })
  })
})

describe('[A10] an invite', () => {
  const invite = (dataDir: string, root: RootId | null) =>
    makeInvite(dataDir, {
      root,
      expiresAtMs: NOW + 1_000,
      loadFounder: async () => founder,
      verifier: testVerifier,
      nowMs: NOW,
    })
  const bob = testSigner(8).author as string as RootId

  it('to a network of members is the founder’s word for one identity', async () => {
    const dataDir = folder()
    const { network } = await open(dataDir, { kind: 'members' })
    const ticket = encodeTicket({ kind: 'member', invitation: parseInvite(await invite(dataDir, bob)) })
    const show = (root: RootId) =>
      verifyTicket(ticket, {
        network,
        root,
        beacon: null,
        nowMs: NOW,
        verifier: testVerifier,
        argon2id: () => new Uint8Array(32),
        spend: () => undefined,
      })
    expect(await show(bob)).toEqual({ means: 'member', expiresAtMs: NOW + 1_000 })
    await expect(show(testSigner(9).author as string as RootId)).rejects.toMatchObject({ name: 'BadInvitationError' })
    await expect(invite(dataDir, null)).rejects.toMatchObject({ name: 'RelayPolicyError' })
  })

  it('to a room is its capability; an open network and an empty folder have none', async () => {
    const dataDir = folder()
    const { capability } = await open(dataDir)
    expect(parseCapability(await invite(dataDir, null))).toEqual(capability)
    const other = folder()
    await expect(invite(other, null)).rejects.toMatchObject({ name: 'RelayPolicyError' })
    await open(other, { kind: 'open' })
    await expect(invite(other, bob)).rejects.toMatchObject({ name: 'RelayPolicyError' })
  })
})

describe('the link', () => {
  it('carries the capability in its fragment, and nothing else is taken for one', async () => {
    const { capability } = await open(null)
    const bytes = capability as Uint8Array
    const text = Buffer.from(bytes).toString('base64url')
    const link = inviteLink('https://room.example/', text)
    expect(link).toBe(`https://room.example/#invite=${text}`)
    expect(parseCapability(inviteOf(link) ?? '')).toEqual(bytes)
    for (const none of ['https://room.example/', 'https://room.example/?invite=abc', 'no url', `https://x/#${text}`]) {
      expect(inviteOf(none), none).toBe(null)
    }
    expect(parseCapability('AAAA')).toBe(null)
    expect(parseInvite('not*base64')).toBe(null)
    expect(parseInvite('')).toBe(null)
  })
})

describe('[A4] the beacon', () => {
  const keeper = async (dataDir: string | null, clock: { now: number }, wish: PolicyWish = { kind: 'open' }) => {
    const { network } = await open(dataDir, wish)
    return {
      network,
      keeper: new BeaconKeeper({ network, founder, verifier: testVerifier, dataDir, now: () => clock.now }),
    }
  }

  it('is drawn once in an epoch, also by a relay that starts again, and anew in the next', async () => {
    const dataDir = folder()
    const clock = { now: NOW }
    const { network, keeper: first } = await keeper(dataDir, clock)
    const beacon = await first.beacon()
    expect(beacon).toMatchObject({ epoch: 700, difficultyBits: 16 })
    clock.now += EPOCH_MS - 6
    expect((await first.beacon())?.random).toEqual(beacon?.random)
    expect((await (await keeper(dataDir, clock)).keeper.beacon())?.random).toEqual(beacon?.random)
    clock.now += 1
    const next = await first.beacon()
    expect(next?.epoch).toBe(701)
    expect(next?.random).not.toEqual(beacon?.random)
    expect(await readBeacon(next?.statement as Uint8Array, network, testVerifier)).toEqual(next)
  })

  it('asks for more when more come than are meant to, and for less again', async () => {
    const clock = { now: NOW }
    const few = { kind: 'open' as const, changes: { work: { newcomersPerEpoch: 4 } } }
    const { keeper: beacons } = await keeper(null, clock, few)
    await beacons.beacon()
    for (let i = 0; i < 17; i++) beacons.admitted(testSigner(i + 50).author as string as RootId)
    expect(beacons.newcomers).toBe(17)
    clock.now += EPOCH_MS
    expect((await beacons.beacon())?.difficultyBits).toBe(18)
    clock.now += 3 * EPOCH_MS
    expect((await beacons.beacon())?.difficultyBits).toBe(16)
  })

  it('is nobody’s to draw in a room, nor a relay’s that is not the founder', async () => {
    const clock = { now: NOW }
    expect(await (await keeper(null, clock, {})).keeper.beacon()).toBe(null)
    const { network } = await open(null, { kind: 'open' })
    const other = { network, founder: testSigner(9), verifier: testVerifier, dataDir: null, now: () => NOW }
    expect(await new BeaconKeeper(other).beacon()).toBe(null)
  })

  it('that was damaged on disk is drawn again', async () => {
    const dataDir = folder()
    const clock = { now: NOW }
    const beacon = await (await keeper(dataDir, clock)).keeper.beacon()
    writeFileSync(join(dataDir, 'beacon'), 'x')
    expect((await (await keeper(dataDir, clock)).keeper.beacon())?.random).not.toEqual(beacon?.random)
  })
})

it('[A11] a relay remembers over a restart who was revoked', async () => {
  const dataDir = folder()
  const key = await makeVolatileDeviceKey()
  const [owner, device] = [testSigner(42), testSigner(43)]
  const root = rootIdOf(owner.author)
  const nonce = new Uint8Array(16)
  const moment = { timestampMs: Date.now(), nonce }
  const revocation = await signRevocation(root, moment, owner)
  const revoked = encodeLineage(extendLineage(newLineage(root), { revocations: [revocation] }))
  const first = await openGate(key, { dataDir, wish: {} })
  const { networkId } = first.founding.network
  const body = { root, device: device.author, name: 'x', issuedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 }
  const { bytes: certificate } = await signCertificate(body, { network: networkId, seq: 1, nonce }, owner)
  const shows = (gate: RelayGate, lineage: Uint8Array | null) =>
    gate.host.rootOf(device.author, {
      type: 'credentials',
      answer: false,
      lineage,
      certificate,
      ticket: null,
      beacon: null,
    })
  expect(await shows(first, null)).toBe(root)
  await expect(shows(first, revoked)).rejects.toMatchObject({ name: 'IdentityRevokedError' })
  await first.close()
  const again = await openGate(key, { dataDir, wish: {} })
  expect(again.founding.network.networkId).toBe(networkId)
  await expect(shows(again, null)).rejects.toMatchObject({ name: 'IdentityRevokedError' })
  await again.close()
})
