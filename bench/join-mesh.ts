/**
 * How long a tab takes to be part of a mesh: from navigation to three direct peers, for each of twelve tabs opened at once in one browser on
 * loopback, and for tabs that come one by one into the room that is there.
 */
import { launchChromium } from '../e2e/support/browsers.ts'
import { startRelay } from '../e2e/support/relay.ts'
import { openTab, type Tab, until } from '../e2e/support/tabs.ts'
import { type BenchLine, benchLine, percentile } from './bench-line.ts'

const ROOM_TABS = 12
const NEWCOMERS = 6
const DIRECT_PEERS = 3
const TIMEOUT_MS = 90_000

export async function run(): Promise<BenchLine[]> {
  const browser = await launchChromium()
  const relay = await startRelay()
  try {
    const room = await Promise.all(Array.from({ length: ROOM_TABS }, () => openTab(browser, relay)))
    const atOnce = await Promise.all(room.map(joinMs))
    const alone: number[] = []
    for (let i = 0; i < NEWCOMERS; i++) {
      const newcomer = await openTab(browser, relay)
      alone.push(await joinMs(newcomer))
      await newcomer.close()
    }
    return [
      benchLine('join.mesh.room.p50', percentile(atOnce, 0.5), 'ms'),
      benchLine('join.mesh.room.p95', percentile(atOnce, 0.95), 'ms'),
      benchLine('join.mesh.p50', percentile(alone, 0.5), 'ms'),
      benchLine('join.mesh.p95', percentile(alone, 0.95), 'ms'),
    ]
  } finally {
    await browser.close()
    await relay.stop()
  }
}

async function joinMs(tab: Tab): Promise<number> {
  await until(async () => (await tab.call('directAfterMs')).length >= DIRECT_PEERS, 'three direct peers', TIMEOUT_MS)
  return (await tab.call('directAfterMs'))[DIRECT_PEERS - 1] ?? Number.NaN
}
