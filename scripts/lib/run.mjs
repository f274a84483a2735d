import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { inRoot, ROOT } from './root.mjs'

/** How long a child that was asked to end may take before it is killed. */
const GRACE_MS = 10_000

/**
 * Runs a command to its end. Signals that reach this process are passed on, and the child is asked to end when it takes too long.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ timeoutMs?: number, stdout?: 'inherit' | 'stderr', env?: NodeJS.ProcessEnv, node?: string }} [options]
 *   `stdout: 'stderr'` keeps this process's stdout free for results. `node`: its folder comes first on the child's PATH.
 * @returns {Promise<{ code: number, timedOut: boolean }>} `code` is 128 + the signal's number when a signal ended the child.
 */
export function run(command, args, options = {}) {
  const { timeoutMs, stdout = 'stderr', env = process.env, node } = options
  const path = [...(node ? [dirname(node)] : []), inRoot('node_modules', '.bin'), env.PATH ?? ''].join(delimiter)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...env, PATH: path },
      stdio: ['inherit', stdout === 'inherit' ? 'inherit' : 2, 'inherit'],
      shell: process.platform === 'win32' && command.endsWith('.cmd'),
    })
    let timedOut = false
    const timers = []
    const stop = () => {
      timedOut = true
      child.kill('SIGTERM')
      timers.push(setTimeout(() => child.kill('SIGKILL'), GRACE_MS))
    }
    if (timeoutMs !== undefined) timers.push(setTimeout(stop, timeoutMs))
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
    // A terminal sends SIGINT to the child as well; then this only keeps us alive until it has tidied up.
    const forward = (/** @type {NodeJS.Signals} */ signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    }
    for (const signal of signals) process.on(signal, forward)
    const settle = () => {
      for (const timer of timers) clearTimeout(timer)
      for (const signal of signals) process.off(signal, forward)
    }
    child.once('error', (error) => {
      settle()
      reject(error)
    })
    child.once('exit', (code, signal) => {
      settle()
      resolve({ code: code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15), timedOut })
    })
  })
}
