import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expectedSteps } from './support/collatz.ts'
import { Running } from './support/commands.ts'
import { placeProgram, readmePrograms } from './support/readme.ts'
import { until } from './support/until.ts'

const MODULE = 'examples/collatz/collatz.wasm'
const COUNT = 500
const FIRST = 1_000_000_000
const dir = mkdtempSync(join(tmpdir(), 'starling-cli-e2e-'))

let relay: Running
let swarm: Running
let peer: Running
let url: string

/** One line of input for each unit, as a shell makes them. */
const lines = (units: number, numbers = COUNT): string =>
  `seq -f '"%.0f ${numbers}"' ${FIRST} ${numbers} ${FIRST + (units - 1) * numbers}`

const stepsIn = (text: string): number[] => [...text.matchAll(/"steps": ?(\d+)/g)].map((match) => Number(match[1]))

function starling(command: string): Running {
  return new Running(command, { STARLING_RELAY: url })
}

/** Two tabs and one Node peer, over a relay, all from the command line. */
beforeAll(async () => {
  relay = new Running('exec $STARLING relay --json --port 0 --host 127.0.0.1')
  const { inviteUrls } = await relay.firstJson<{ inviteUrls: string[] }>()
  url = inviteUrls[0] ?? ''
  swarm = starling('exec $STARLING swarm --nodes 2 --json')
  peer = starling('exec $STARLING peer --json --data-dir :memory: --workers 1 --metrics-port 0')
  const tabs = await swarm.firstJson<{ nodes: number; peers: string[] }>()
  expect(new Set(tabs.peers).size).toBe(2)
  await peer.firstJson()
})

afterAll(async () => {
  for (const each of [peer, swarm, relay]) await each?.stop()
  expect([...(peer?.left() ?? []), ...(swarm?.left() ?? []), ...(relay?.left() ?? [])]).toEqual([])
  rmSync(dir, { recursive: true, force: true })
})

describe('starling run', () => {
  it('works in a pipe: inputs from stdin, results to stdout in their order, nothing else', async () => {
    const { code, stdout, stderr } = await starling(
      `set -o pipefail; ${lines(24)} | $STARLING run ${MODULE} --inputs - | cat`,
    ).ended
    expect(code, stderr).toBe(0)
    expect(stepsIn(stdout)).toEqual(Array.from({ length: 24 }, (_, unit) => expectedSteps(unit, COUNT)))
    // Progress is for terminals; what is left is the one line of how it ended.
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/24 of 24 units on [23] peers, 24 verified/)
  })

  it('gives a line of JSON for each unit, with who computed it', async () => {
    const command = `${lines(6)} | $STARLING run ${MODULE} --inputs - --json --unordered --replicas 3 --quorum 3 --name search`
    const { code, stdout, stderr } = await starling(command).ended
    expect(code, stderr).toBe(0)
    const results = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(results.map(({ unit }) => unit).sort()).toEqual([0, 1, 2, 3, 4, 5])
    for (const { unit, agreeing, exitCode, stdout: said } of results) {
      expect([agreeing, exitCode, stepsIn(said)]).toEqual([3, 0, [expectedSteps(unit, COUNT)]])
    }
  })

  it('leaves a folder of results with receipts that verify without the room', async () => {
    const out = join(dir, 'out')
    const { code, stderr } = await starling(`${lines(5)} | $STARLING run ${MODULE} --inputs - --out ${out}`).ended
    expect(code, stderr).toBe(0)
    expect(readdirSync(out).sort()).toEqual([
      ...[0, 1, 2, 3, 4].map((unit) => `00000${unit}.stdout`),
      'receipts.cbor',
      'results.jsonl',
    ])
    expect(stepsIn(readFileSync(join(out, '000003.stdout'), 'utf8'))).toEqual([expectedSteps(3, COUNT)])
    const verified = await starling(
      `STARLING_RELAY=http://127.0.0.1:9 $STARLING verify --json ${join(out, 'receipts.cbor')}`,
    ).ended
    expect(verified.code, verified.stderr).toBe(0)
    const receipts = verified.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(receipts.length).toBeGreaterThanOrEqual(10)
    expect(new Set(receipts.map(({ receipt }) => receipt.unit))).toEqual(new Set([0, 1, 2, 3, 4]))
    expect(new Set(receipts.map(({ executor }) => executor)).size).toBeGreaterThanOrEqual(2)
  })

  it('ends quietly when the reader has had enough', async () => {
    const { code, stdout, stderr } = await starling(
      `set -o pipefail; ${lines(40)} | $STARLING run ${MODULE} --inputs - --json | head -n 2`,
    ).ended
    expect(stdout.trim().split('\n')).toHaveLength(2)
    expect(stderr).not.toMatch(/EPIPE|Error| {4}at /)
    expect(code).toBe(0)
  })

  it('ends with 1 when units fail, and says how many', async () => {
    const command = `(${lines(2)}; echo '"not a number"') | $STARLING run ${MODULE} --inputs - --json`
    const { code, stdout, stderr } = await starling(command).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/1 of 3 units failed or ended with an error/)
    expect(stdout.trim().split('\n')).toHaveLength(3)
  })

  it('ends with 130 and cancels the job on Ctrl-C', async () => {
    const command = starling(`exec $STARLING run ${MODULE} --json --inputs <(${lines(400, 40_000)})`)
    await command.firstJson()
    const { code, stdout } = await command.stop()
    expect(code).toBe(130)
    expect(stdout.trim().split('\n').length).toBeLessThan(400)
    expect(command.left()).toEqual([])
  })

  it('ends with 3 when nobody takes the job', async () => {
    const alone = new Running('exec $STARLING relay --json --port 0 --host 127.0.0.1')
    try {
      const { inviteUrls } = await alone.firstJson<{ inviteUrls: string[] }>()
      const command = `$STARLING run ${MODULE} --relay '${inviteUrls[0]}' --inputs 1..3 --wait 3`
      const { code, stderr } = await starling(command).ended
      expect(stderr).toContain('No peer took the job within 3 s')
      expect(code).toBe(3)
    } finally {
      await alone.stop()
    }
  })
})

describe('starling peer', () => {
  it('counts what it computed, for Prometheus', async () => {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const counting = starling(`exec $STARLING peer --json --data-dir :memory: --metrics-port ${port}`)
    try {
      await counting.firstJson()
      const metrics = async () => await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
      expect(await metrics()).toMatch(/^wasm_active_executions \d/m)
      // All three lenders for each unit, so this one too.
      const job = starling(`${lines(8)} | $STARLING run ${MODULE} --inputs - --replicas 4 --quorum 4`)
      expect((await job.ended).code, job.stderr).toBe(0)
      await until('the executions to be counted', async () =>
        /^wasm_executions_total\{status="\w+"\} [1-9]/m.test(await metrics()),
      )
    } finally {
      await counting.stop()
    }
  })
})

describe('the SDK', () => {
  it('runs the program of the README', async () => {
    const [program = ''] = readmePrograms()
    const path = placeProgram('program', program.replace('http://localhost:4000', url))
    const { code, stdout, stderr } = await starling(`${process.execPath} ${path}`).ended
    expect(code, stderr).toBe(0)
    // The README's first unit searches 1,000 numbers from 10^9.
    expect(stdout).toMatch(new RegExp(`^0 2 .*"steps": ?${expectedSteps(0, 1_000)}`, 'm'))
    expect(stdout).toMatch(new RegExp(`^1 2 .*"steps": ?${expectedSteps(1, 1_000)}`, 'm'))
    expect(stderr).toContain('2 of 2')
  })
})
