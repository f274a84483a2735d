import { existsSync, readFileSync } from 'node:fs'
import { say, seconds } from './log.mjs'
import { packagedNode } from './modern-node.mjs'
import { inRoot } from './root.mjs'
import { run } from './run.mjs'

/** @typedef {{ version?: string, optional?: boolean, link?: boolean, optionalDependencies?: Record<string, string> }} LockEntry */
/** @typedef {{ packages: Record<string, LockEntry & { dependencies?: Record<string, string>, devDependencies?: Record<string, string> }> }} Lock */

/** A fresh install on a slow line; npm itself retries what fails. */
const INSTALL_TIMEOUT_MS = 20 * 60_000

/** @param {string} path @returns {any} */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null
}

/**
 * What keeps node_modules from being what the lock file says, in one phrase; `null` when nothing does.
 *
 * @param {Lock | null} lock package-lock.json
 * @param {Lock | null} installed node_modules/.package-lock.json, npm's own record of what it put there
 * @returns {string | null}
 */
export function disagreement(lock, installed) {
  if (installed === null) return 'nothing is installed yet'
  if (lock === null) return 'there is no package-lock.json'
  for (const [path, entry] of Object.entries(lock.packages)) {
    // The root, links, and the folders of this repository that links lead to.
    if (!path.includes('node_modules/') || entry.link) continue
    const found = installed.packages[path]
    // Packages for other platforms are in the lock and never installed.
    if (found === undefined && entry.optional) continue
    if (found?.version !== entry.version) {
      return `${path.replace(/^.*node_modules\//, '')} is ${found?.version ?? 'missing'}, the lock file says ${entry.version}`
    }
  }
  return null
}

/**
 * Whether the lock file names every optional package of every package in it. `npm ci` refuses one that does not, and a lock file
 * written where a registry carries only some platforms' binaries names only those.
 *
 * @param {Lock} lock
 */
export function namesAllPlatforms(lock) {
  return Object.entries(lock.packages).every(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).every((name) => {
      for (let from = path; ; from = from.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
        if (lock.packages[`${from}${from === '' ? '' : '/'}node_modules/${name}`]) return true
        if (from === '') return false
      }
    }),
  )
}

/** npm as it was started (it says where it is), else the one on the PATH. */
function npmCommand() {
  const script = process.env.npm_execpath
  if (script && /npm-cli\.c?js$/.test(script)) return { command: process.execPath, args: [script] }
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] }
}

/**
 * Installs the dependencies when node_modules is not what package-lock.json says; does nothing otherwise.
 *
 * @throws When npm fails.
 */
export async function ensureInstalled() {
  const lock = readJson(inRoot('package-lock.json'))
  const why = disagreement(lock, readJson(inRoot('node_modules', '.package-lock.json')))
  if (why === null) return
  // `npm install` takes the locked versions too; --no-save leaves the lock file as it was committed.
  const how = lock !== null && namesAllPlatforms(lock) ? ['ci'] : ['install', '--no-save']
  say(`Installing the dependencies (${why}): npm ${how.join(' ')}`)
  if (how[0] !== 'ci')
    say(
      '  not `npm ci`, which refuses a lock file without the binaries of every platform; the versions are the locked ones',
    )
  const started = performance.now()
  const npm = npmCommand()
  const { code } = await run(npm.command, [...npm.args, ...how, '--no-audit', '--no-fund', '--loglevel=error'], {
    timeoutMs: INSTALL_TIMEOUT_MS,
  })
  if (code !== 0) throw new Error(`npm ${how.join(' ')} ended with code ${code}`)
  if (packagedNode() === null) {
    // npm may be set not to run install scripts; the package `node` is nothing without its own.
    await run(npm.command, [...npm.args, 'rebuild', 'node', '--loglevel=error'])
  }
  say(`Installed in ${seconds(started)}`)
}
