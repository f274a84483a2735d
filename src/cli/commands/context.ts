import { fileURLToPath } from 'node:url'
import { homeFolder } from '../../node/own-invite.node.ts'
import type { Lifetime } from '../lifetime.ts'
import type { Terminal } from '../terminal.ts'

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal
  readonly lifetime: Lifetime
}

/** The page that `npm run build` makes. */
export const DIST_DIR = fileURLToPath(new URL('../../../dist', import.meta.url))

/** Where things are kept unless `--data-dir` says otherwise: `STARLING_HOME`, else `~/.starling`. */
export function defaultDataDir(what: string): string {
  return homeFolder(what)
}

export const DEFAULT_PORT = 4000
export const DEFAULT_RELAY = `http://localhost:${DEFAULT_PORT}`
