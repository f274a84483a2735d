/**
 * What the network costs a block: the same bytes from one real tab to another, fetched as a block (hash checked) and over a bare
 * RTCDataChannel between the two pages, in turns, medians compared. `ratio` is the block's throughput over the bare channel's.
 *
 * The bare channel is used as well as one can: 64 KiB messages, the buffer kept between 256 KiB and 1 MiB.
 */
import type { Page } from 'playwright-core'
import { launchChromium } from '../e2e/support/browsers.ts'
import { startRelay } from '../e2e/support/relay.ts'
import { openTab, type Tab, until } from '../e2e/support/tabs.ts'
import { type BenchLine, benchLine, median } from './bench-line.ts'

const BLOCK_BYTES = 16 * 1024 * 1024
const ROUNDS = 7
const MIB = 1024 * 1024

/** The bare channel, as the bench puts it on each page. */
interface RawChannel {
  /** Held, so that the connection is not collected. */
  readonly pc: RTCPeerConnection
  offer(): Promise<string>
  answer(offer: string): Promise<string>
  accept(answer: string): Promise<void>
  fetch(bytes: number): Promise<number>
}

declare global {
  var rawChannel: RawChannel
}

export async function run(): Promise<BenchLine[]> {
  const browser = await launchChromium()
  const relay = await startRelay()
  try {
    const [server, client] = [await openTab(browser, relay), await openTab(browser, relay)]
    await until(async () => (await client.call('status')).direct === 1, 'a direct link', 60_000)
    await connectRaw(pageOf(server), pageOf(client))
    const blocks: number[] = []
    const raw: number[] = []
    // The first round only warms both up.
    for (let round = 0; round <= ROUNDS; round++) {
      const rawMs = await transferRaw(pageOf(client))
      const cid = await server.call('makeBlock', BLOCK_BYTES)
      const blockMs = await client.call('fetchBlock', cid, [server.peerId])
      if (round === 0) continue
      raw.push(BLOCK_BYTES / MIB / (rawMs / 1000))
      blocks.push(BLOCK_BYTES / MIB / (blockMs / 1000))
    }
    return [benchLine('block.transfer', median(blocks), 'MiB/s', median(raw))]
  } finally {
    await browser.close()
    await relay.stop()
  }
}

function pageOf(tab: Tab): Page {
  // Tabs are typed for Puppeteer too; openTab with Playwright's browser gives Playwright's page.
  return tab.page as unknown as Page
}

async function connectRaw(server: Page, client: Page): Promise<void> {
  for (const page of [server, client]) await page.evaluate(installRaw)
  const offer = await server.evaluate(() => globalThis.rawChannel.offer())
  const answer = await client.evaluate((sdp) => globalThis.rawChannel.answer(sdp), offer)
  await server.evaluate((sdp) => globalThis.rawChannel.accept(sdp), answer)
}

/** Milliseconds from asking for the bytes until the last is there. */
function transferRaw(client: Page): Promise<number> {
  return client.evaluate((bytes) => globalThis.rawChannel.fetch(bytes), BLOCK_BYTES)
}

/** Runs in the page. */
function installRaw(): void {
  const pc = new RTCPeerConnection({ iceServers: [] })
  const channel = pc.createDataChannel('raw', { negotiated: true, id: 0 })
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = 256 * 1024
  const opened = new Promise<void>((resolve) => {
    channel.onopen = () => resolve()
  })
  const gathered = new Promise<void>((resolve) => {
    pc.onicecandidate = ({ candidate }) => {
      if (candidate === null) resolve()
    }
  })
  const offer = async () => {
    await pc.setLocalDescription(await pc.createOffer())
    await gathered
    return pc.localDescription?.sdp ?? ''
  }
  const answer = async (sdp: string) => {
    await pc.setRemoteDescription({ type: 'offer', sdp })
    await pc.setLocalDescription(await pc.createAnswer())
    await gathered
    return pc.localDescription?.sdp ?? ''
  }
  const accept = async (sdp: string) => {
    await pc.setRemoteDescription({ type: 'answer', sdp })
    await opened
  }
  const serve = async (bytes: number) => {
    const chunk = new Uint8Array(65_536)
    for (let sent = 0; sent < bytes; sent += chunk.byteLength) {
      if (channel.bufferedAmount > 1_048_576) {
        await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }))
      }
      channel.send(chunk)
    }
  }
  // Only a client gets bytes; the one string is what a server is asked for.
  channel.onmessage = ({ data }) => void serve(Number(data))
  const fetch = async (bytes: number): Promise<number> => {
    await opened
    const block = new Uint8Array(bytes)
    let received = 0
    const started = performance.now()
    channel.send(String(bytes))
    return new Promise((resolve) => {
      channel.onmessage = ({ data }) => {
        block.set(new Uint8Array(data as ArrayBuffer), received)
        received += (data as ArrayBuffer).byteLength
        if (received >= bytes) resolve(performance.now() - started)
      }
    })
  }
  globalThis.rawChannel = { pc, offer, answer, accept, fetch }
}
