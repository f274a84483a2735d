import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { Running } from './support/commands.ts'
import { until } from './support/until.ts'

/** Builds the page when something changed, then starts three tabs; on two slow cores that alone takes a minute. */
const READY_TIMEOUT_MS = 240_000
const TEST_TIMEOUT_MS = 300_000

const running: Running[] = []

/** A command that the test's end stops, whatever became of it. */
function start(command: string): Running {
  const started = new Running(command)
  running.push(started)
  return started
}

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop()
})

/** Takes a port for as long as `use` runs. */
async function withTakenPort<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    return await use((server.address() as { port: number }).port)
  } finally {
    server.close()
  }
}

/** Processes end shortly after their parent says so. */
async function leavesNothing(command: Running): Promise<void> {
  if (!existsSync('/proc/self/environ')) return
  await until('every process to end', async () => command.left().length === 0, 15_000).catch(() => {
    expect(command.left()).toEqual([])
  })
}

describe('npm start', { timeout: TEST_TIMEOUT_MS }, () => {
  it('with --once --json: every unit verified by at least two tabs, on the next port, nothing left behind', async () => {
    await withTakenPort(async (port) => {
      const command = start(`npm start -- --once --json --port ${port}`)
      const { code, stdout, stderr } = await command.ended
      expect(code, stderr).toBe(0)
      expect(stderr).toMatch(new RegExp(`Port ${port} is taken; using \\d+`))
      // npm itself prints what it runs; ours is the last line.
      const line = JSON.parse(stdout.trim().split('\n').at(-1) ?? '')
      expect(Object.keys(line)).toEqual(['peers', 'units', 'accepted', 'verified', 'wallMs'])
      expect(line.units).toBeGreaterThanOrEqual(48)
      expect(line.accepted).toBe(line.units)
      expect(line.verified).toBe(line.units)
      expect(line.peers).toBeGreaterThanOrEqual(2)
      console.log(`welcome job: ${stdout.trim().split('\n').at(-1)}`)
      await leavesNothing(command)
    })
  })

  it('stays up with the address and its QR code, until Ctrl-C ends all it started', async () => {
    const command = start('npm start -- --peers 2 --port 0 --host 127.0.0.1')
    await until('the address', async () => command.stdout.includes('http://127.0.0.1:'), READY_TIMEOUT_MS)
    // Every QR code has these two corners in one line; the rest depends on the port.
    await until('the QR code', async () => /█▀▀▀▀▀█.*█▀▀▀▀▀█/.test(command.stdout))
    expect(command.stdout).toMatch(/units on 2 peers, 48 verified, [\d.]+ m?s/)
    const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\//.exec(command.stdout) ?? []
    expect((await fetch(`${url}healthz`)).status).toBe(200)
    expect(command.left().some((each) => /chrom/.test(each))).toBe(true)
    const { code } = await command.stop()
    expect(code).toBe(130)
    await leavesNothing(command)
    await expect(fetch(`${url}healthz`)).rejects.toThrow()
  })

  it('opens a room without local peers', async () => {
    const command = start('$STARLING start --no-peers --port 0 --host 127.0.0.1')
    await until('the address', async () => command.stdout.includes('http://127.0.0.1:'), READY_TIMEOUT_MS)
    expect(command.left().some((each) => /chrom/.test(each))).toBe(false)
    expect(command.stdout).not.toContain('verified')
  })
})
