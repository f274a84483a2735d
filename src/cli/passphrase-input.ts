import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { UsageError } from './errors.ts'

/** The passphrase that keeps this machine's key file, from the environment: nobody sits beside a server. */
export function ownPassphrase(): { readonly passphrase?: string } {
  const passphrase = process.env.STARLING_PASSPHRASE
  return passphrase === undefined || passphrase === '' ? {} : { passphrase }
}

/**
 * The passphrase of a backup: from a file, from the environment, or asked for without showing it.
 *
 * @throws {@link UsageError} When there is none and nobody to ask.
 */
export async function backupPassphrase(options: {
  readonly file: string | undefined
  readonly twice: boolean
}): Promise<string> {
  if (options.file !== undefined) return readFileSync(options.file, 'utf8').replace(/\r?\n$/, '')
  const given = process.env.STARLING_BACKUP_PASSPHRASE
  if (given !== undefined && given !== '') return given
  if (!process.stdin.isTTY) {
    throw new UsageError('--passphrase-file is missing, and there is no terminal to ask at', {
      field: '--passphrase-file',
    })
  }
  const first = await ask('Passphrase of the backup: ')
  if (options.twice && (await ask('The same again: ')) !== first) {
    throw new UsageError('The two passphrases are not the same', { field: 'passphrase' })
  }
  return first
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
