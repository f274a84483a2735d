import { writeFileSync } from 'node:fs'
import type { IdentityInfo, SuccessionInfo } from '../../node/identity-contract.ts'
import { openIdentity } from '../../node/open-identity.node.ts'
import { UsageError } from '../errors.ts'
import { backupPassphrase, ownPassphrase } from '../passphrase-input.ts'
import type { Context } from './context.ts'
import { readFile } from './run.ts'

export interface IdOptions {
  readonly dataDir: string
  readonly keyRing: boolean
}

type Opened = Awaited<ReturnType<typeof openIdentity>>

/** What is asked of the owner, in words. */
const REASONS: Readonly<Record<string, string>> = {
  'identity-no-unlocker': 'it is only here: `starling id backup` makes a copy that survives this machine',
  'identity-one-unlocker': 'there is one way to get it back; a second one is safer',
  'identity-unproved': 'no backup was tried yet: `starling id restore --check` tries one',
  'identity-unprotected': 'the copy of the key is still here: `starling id protect` gives it up',
  'identity-rotating': 'its key is being replaced; `starling id rotate` goes on with it',
  'identity-clock-behind': 'its key was replaced at a time that has not come yet by this clock; set the clock',
  'identity-superseded': 'its key was replaced on another device; restore a newer backup',
  'identity-revoked': 'it was revoked',
  'identity-conflicted': 'two keys claim it; restore the backup of the one that shall stay, or revoke it',
  'identity-expired': 'its certificate has expired',
  'identity-key-lost': 'its key is not here any more; restore a backup',
  'identity-locked': 'its key waits for STARLING_PASSPHRASE or the key ring',
}

/** `starling id show` */
export function showCommand(options: IdOptions, context: Context): Promise<void> {
  return withIdentity(options, context, async ({ book, box }) => {
    const info = await book.identity()
    if (context.terminal.json) return await context.terminal.writeJson({ ...info, keptBy: box.kind })
    await context.terminal.write(`${identityText(info, box.kind)}\n`)
  })
}

/** `starling id backup` */
export function backupCommand(
  options: IdOptions & { readonly out: string; readonly passphraseFile?: string },
  context: Context,
): Promise<void> {
  return withIdentity(options, context, async ({ book }) => {
    const passphrase = await backupPassphrase({ file: options.passphraseFile, twice: true })
    writeNew(options.out, await book.createBackup(passphrase))
    context.terminal.say(`Saved ${options.out}; keep it where this machine is not, and its passphrase elsewhere`)
  })
}

/** `starling id restore` */
export function restoreCommand(
  file: string,
  options: IdOptions & { readonly passphraseFile?: string; readonly check?: boolean },
  context: Context,
): Promise<void> {
  return withIdentity(options, context, async ({ book }) => {
    const content = readFile(file, 'BACKUP')
    const passphrase = await backupPassphrase({ file: options.passphraseFile, twice: false })
    const check = options.check ?? false
    const info = check ? await book.proveBackup(content, passphrase) : await book.restoreFromBackup(content, passphrase)
    await tell(info, check ? 'The backup opens' : 'Restored', context)
  })
}

/** `starling id rotate` */
export function rotateCommand(
  options: IdOptions & {
    readonly reason: SuccessionInfo['reason']
    readonly backup?: string
    readonly passphraseFile?: string
  },
  context: Context,
): Promise<void> {
  return withIdentity(options, context, async ({ book }) => {
    const unlock =
      options.backup === undefined
        ? null
        : {
            file: readFile(options.backup, '--backup'),
            passphrase: await backupPassphrase({ file: options.passphraseFile, twice: false }),
          }
    const info = await book.rotateIdentity({ reason: options.reason, unlock })
    await tell(info, 'The key was replaced; earlier backups open the old one only', context)
  })
}

/** `starling id revoke` */
export function revokeCommand(
  options: IdOptions & { readonly device?: string; readonly identity?: boolean },
  context: Context,
): Promise<void> {
  const { device, identity = false } = options
  if ((device === undefined) === !identity) {
    throw new UsageError('Name what to revoke: --device PEER-ID, or --identity', { field: '--device' })
  }
  return withIdentity(options, context, async ({ book }) => {
    const info = device === undefined ? await book.revokeIdentity() : await book.revokeDevice(device)
    await tell(info, device === undefined ? 'The identity is revoked' : 'The device was taken out', context)
  })
}

/** `starling id export` */
export function exportCommand(options: IdOptions & { readonly out: string }, context: Context): Promise<void> {
  return withIdentity(options, context, async ({ book }) => {
    writeNew(options.out, await book.exportIdentity())
    context.terminal.say(`Saved ${options.out}`)
  })
}

/** `starling id protect` */
export function protectCommand(options: IdOptions, context: Context): Promise<void> {
  return withIdentity(options, context, async ({ book, box }) => {
    if (box.kind === 'file') {
      const { passphrase } = ownPassphrase()
      if (passphrase === undefined && !options.keyRing) {
        throw new UsageError('STARLING_PASSPHRASE is missing: it seals the key file', { field: 'STARLING_PASSPHRASE' })
      }
      await box.keepBy(passphrase ?? null)
      if (box.kind === 'file') {
        throw new UsageError('This system has no key ring that answers: set STARLING_PASSPHRASE', {
          field: 'STARLING_PASSPHRASE',
        })
      }
      context.terminal.say(
        `The key file is sealed by ${box.kind === 'keyring' ? 'the key ring' : 'STARLING_PASSPHRASE'}`,
      )
    }
    const { reason } = await book.identity()
    if (reason?.code === 'identity-unprotected') await book.protectIdentity()
    await tell(await book.identity(), 'Done', context)
  })
}

async function withIdentity(
  options: IdOptions,
  { terminal }: Context,
  work: (opened: Opened) => Promise<void>,
): Promise<void> {
  const { dataDir, keyRing } = options
  const opened = await openIdentity({ dataDir, keyRing: keyRing ? 'system' : 'none', ...ownPassphrase() })
  if (opened.aside !== null) terminal.complain(`The key file is damaged and was put aside as ${opened.aside}`)
  try {
    await work(opened)
  } finally {
    await opened.close()
  }
}

async function tell(info: IdentityInfo, what: string, { terminal }: Context): Promise<void> {
  if (terminal.json) return await terminal.writeJson(info)
  terminal.say(`${what}. ${standing(info)}`)
}

function standing({ rootId, state, reason }: IdentityInfo): string {
  const why = reason === null ? '' : `: ${REASONS[reason.code] ?? reason.code}`
  return `Identity ${rootId} is ${state}${why}`
}

function identityText(info: IdentityInfo, keptBy: string): string {
  const devices = info.devices.map(
    ({ peerId, name, self, state, expiresAt }) =>
      `  ${peerId}  ${name}${self ? ' (this one)' : ''}, ${state}, until ${new Date(expiresAt).toISOString()}`,
  )
  const unlockers = info.unlockers.map(
    ({ kind, label, provedAt }) =>
      `  ${kind}: ${label}, ${provedAt === null ? 'never tried' : `tried ${new Date(provedAt).toISOString()}`}`,
  )
  const successions = info.successions.map(
    ({ seq, newKey, reason, notBefore }) =>
      `  ${seq}. ${newKey}, ${reason}, since ${new Date(notBefore).toISOString()}`,
  )
  return [
    standing(info),
    `Key in force ${info.activeKey}, kept by ${keptBy === 'file' ? 'file permissions alone' : `the ${keptBy}`}`,
    'Devices',
    ...devices,
    'Ways to get it back',
    ...(unlockers.length === 0 ? ['  none'] : unlockers),
    ...(successions.length === 0 ? [] : ['Keys that followed the first', ...successions]),
  ].join('\n')
}

/** Never writes over a file: it may be the only backup of another identity. */
function writeNew(path: string, content: Uint8Array): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'there is a file already' : String(error)
    throw new UsageError(`--out is ${path}: ${why}`, { field: '--out', value: path })
  }
}
