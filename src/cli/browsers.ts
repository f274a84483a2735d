import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** apt and Playwright both fetch about 150 MB; on a slow line that takes minutes. */
const INSTALL_TIMEOUT_MS = 10 * 60_000
/** apt otherwise waits for ever behind another one that holds its lock. */
const APT_LOCK_TIMEOUT_SECONDS = 120

export type Say = (line: string) => void

/** The first of `names` that the PATH has, as a path. */
export function onPath(names: readonly string[]): string | null {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name)
      if (folder !== '' && isExecutable(path)) return path
    }
  }
  return null
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whether `apt-get install` can work here and brings what its package says (Ubuntu's chromium and firefox are snap stubs). */
export function canUseApt(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || onPath(['apt-get']) === null) return false
  return existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
}

/** Installs Debian packages; false when apt fails. The caller looks for the program itself afterwards. */
export function aptInstall(packages: readonly string[], say: Say): boolean {
  const lock = ['-o', `DPkg::Lock::Timeout=${APT_LOCK_TIMEOUT_SECONDS}`]
  const install = ['apt-get', ...lock, 'install', '-y', '--no-install-recommends', ...packages]
  say(`Installing ${packages.join(' ')}: ${install.join(' ')}`)
  if (runQuietly(install)) return true
  // The package lists of a fresh image are empty or old.
  return runQuietly(['apt-get', ...lock, 'update']) && runQuietly(install)
}

/** Runs a command with its output on stderr. */
export function runQuietly(command: readonly string[]): boolean {
  const [program = '', ...args] = command
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  return spawnSync(program, args, { stdio: ['ignore', 2, 2], env, timeout: INSTALL_TIMEOUT_MS }).status === 0
}
