#!/usr/bin/env node
// The command `starling`: runs src/cli/main.ts in this process when this Node can, else under the one npm installed.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isModern, modernNode } from '../scripts/lib/modern-node.mjs'

const main = new URL('../src/cli/main.ts', import.meta.url)

if (isModern(process.version)) {
  await import(main.href)
} else {
  try {
    const child = spawn(modernNode(), [fileURLToPath(main), ...process.argv.slice(2)], { stdio: 'inherit' })
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.on(signal, () => {
        if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
      })
    }
    child.once('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      process.exitCode = 1
    })
    child.once('exit', (code, signal) => {
      process.exitCode = code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)
    })
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
