import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readIdentityExport } from '../core/identity/identity-export.ts'
import type { IdentityInfo } from '../node/identity-contract.ts'
import { PlatformVerifier } from '../node/verifier.ts'
import { type Ended, runStarling } from '../testing/run-starling.ts'

const dir = mkdtempSync(join(tmpdir(), 'starling-id-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** `starling id …` as a person types it, without the key ring of whoever runs the tests. */
const id = (peer: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  runStarling(['id', ...args, '--data-dir', join(dir, peer), '--no-key-ring'], env)

const show = async (peer: string, env: Record<string, string> = {}): Promise<IdentityInfo & { keptBy: string }> =>
  JSON.parse((await id(peer, ['show', '--json'], env)).stdout)

const BACKUP = { STARLING_BACKUP_PASSPHRASE: 'four random words here' }

it('starling id makes, backs up, restores, rotates, exports and revokes an identity', async () => {
  const first = await show('a')
  expect(first).toMatchObject({ state: 'provisional', keptBy: 'file', reason: { code: 'identity-no-unlocker' } })
  expect(await show('a')).toEqual(first)

  const file = join(dir, 'backup.starling')
  expect((await id('a', ['backup', '--out', file])).stderr).toContain('--passphrase-file')
  expect((await id('a', ['backup', '--out', file], BACKUP)).code).toBe(0)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const again = await id('a', ['backup', '--out', file], BACKUP)
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('there is a file already')])
  expect((await id('a', ['restore', file, '--check'], BACKUP)).code).toBe(0)

  const wrong = await id('b', ['restore', file], { STARLING_BACKUP_PASSPHRASE: 'four other words here' })
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('does not open')])
  expect((await id('b', ['restore', file], BACKUP)).code).toBe(0)
  expect(await show('b')).toMatchObject({ rootId: first.rootId, activeKey: first.activeKey })

  expect((await id('a', ['rotate', '--reason', 'compromised'])).code).toBe(0)
  const rotated = await show('a')
  expect(rotated).toMatchObject({ rootId: first.rootId, successions: [{ reason: 'compromised' }] })
  expect((await id('a', ['restore', file], BACKUP)).stderr).toContain('was replaced')

  expect((await id('a', ['revoke'])).code).toBe(2)
  expect((await id('a', ['revoke', '--identity'])).code).toBe(0)
  expect((await show('a')).state).toBe('revoked')
  const out = join(dir, 'public.cbor')
  expect((await id('a', ['export', '--out', out])).code).toBe(0)
  const { lineage } = await readIdentityExport(new Uint8Array(readFileSync(out)), new PlatformVerifier())
  expect([lineage.root, lineage.revocations.length]).toEqual([first.rootId, 1])
}, 60_000)

it('starling id protect seals the key file, which stays locked without its passphrase', async () => {
  const { rootId } = await show('c')
  expect((await id('c', ['protect'])).stderr).toContain('STARLING_PASSPHRASE')
  const env = { STARLING_PASSPHRASE: 'another four random words' }
  expect((await id('c', ['protect'], env)).code).toBe(0)
  expect(await show('c', env)).toMatchObject({ rootId, keptBy: 'passphrase', state: 'provisional' })
  expect(await show('c')).toMatchObject({ rootId, reason: { code: 'identity-locked' } })
  expect((await id('c', ['show'], { STARLING_PASSPHRASE: 'not the passphrase' })).code).toBe(2)
}, 60_000)

it('a damaged key file is put aside, and the identity is lost by name until it is restored', async () => {
  const { rootId } = await show('d')
  const file = join(dir, 'd.starling')
  await id('d', ['backup', '--out', file], BACKUP)
  writeFileSync(join(dir, 'd', 'root.key'), 'nothing')
  const lost = await id('d', ['show'])
  expect(lost.stderr).toContain('put aside')
  expect(lost.stdout).toContain('is lost')
  expect(readdirSync(join(dir, 'd')).some((name) => name.startsWith('root.key.damaged-'))).toBe(true)
  expect((await id('d', ['restore', file], BACKUP)).code).toBe(0)
  expect(await show('d')).toMatchObject({ rootId, state: 'provisional' })
}, 60_000)

it('two processes do not change one identity at once', async () => {
  await show('e')
  writeFileSync(join(dir, 'e', 'root.key.lock'), String(process.pid))
  const busy = await id('e', ['show'])
  expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining(`open in process ${process.pid}`)])
  // A process that is gone holds nothing: no system counts this far.
  writeFileSync(join(dir, 'e', 'root.key.lock'), '999999999')
  expect((await id('e', ['show'])).code).toBe(0)
}, 60_000)
