import { beforeAll, expect, it } from 'vitest'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import type { RootId } from '../codec/ids.ts'
import { signCertificate } from '../identity/certificate.ts'
import { encodeLineage, extendLineage, newLineage } from '../identity/lineage.ts'
import { signRevocation } from '../identity/revocation.ts'
import { rootIdOf } from '../identity/root.ts'
import { KnownIdentities } from './known-identities.ts'
import { defaultPolicy, type FoundedNetwork, foundNetwork } from './policy.ts'

const NOW_MS = Date.UTC(2027, 0, 1)
const nonce = new Uint8Array(16).fill(1)
const [founder, owner, device] = [testSigner(41), testSigner(42), testSigner(43)]
const ROOT = rootIdOf(owner.author)
let network: FoundedNetwork
let certificate: Uint8Array
let revoked: Uint8Array

beforeAll(async () => {
  const policy = defaultPolicy('room', 'a room', testSigner(40).author)
  network = await foundNetwork(policy, { founder, nowMs: NOW_MS, nonce })
  const body = { root: ROOT, device: device.author, name: 'x', issuedAtMs: NOW_MS, expiresAtMs: NOW_MS + 86_400_000 }
  certificate = (await signCertificate(body, { network: network.networkId, seq: 1, nonce }, owner)).bytes
  const revocation = await signRevocation(ROOT, { timestampMs: NOW_MS, nonce }, owner)
  revoked = encodeLineage(extendLineage(newLineage(ROOT), { revocations: [revocation] }))
})

/** What is known, and what of it was to be kept. */
function fresh() {
  const kept = new Map<RootId, Uint8Array>()
  const identities = new KnownIdentities({
    network,
    verifier: testVerifier,
    onLearned: (root, lineage) => (lineage === null ? kept.delete(root) : kept.set(root, lineage)),
  })
  const show = (lineage: Uint8Array | null) => identities.rootOf(device.author, { lineage, certificate }, NOW_MS)
  return { identities, kept, show }
}

it('[A11] a revocation that was shown once is known after a restart, whatever is shown then', async () => {
  const before = fresh()
  expect(await before.show(null)).toBe(ROOT)
  expect(before.kept.size).toBe(0)
  await expect(before.show(revoked)).rejects.toMatchObject({ name: 'IdentityRevokedError' })
  expect([...before.kept.keys()]).toEqual([ROOT])
  const again = fresh()
  again.identities.restore(before.kept)
  await expect(again.show(null)).rejects.toMatchObject({ name: 'IdentityRevokedError' })
  // Without what was kept it would have got through.
  expect(await fresh().show(null)).toBe(ROOT)
})

it('[A11] what is damaged on disk is as if it was never seen', async () => {
  const again = fresh()
  again.identities.restore([[ROOT, revoked.subarray(0, revoked.length - 1)]])
  expect(await again.show(null)).toBe(ROOT)
  await expect(again.show(revoked)).rejects.toMatchObject({ name: 'IdentityRevokedError' })
  expect(again.kept.size).toBe(1)
})
