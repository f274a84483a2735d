import type { Network } from '../net/network.ts'
import type { Store } from '../storage/store.ts'
import type { NetworkCheckStep } from './contract.ts'
import type { Platform } from './peer.ts'
import { describe } from './task-link.ts'

/** Clocks further off than this make signed statements look stale to others. */
const CLOCK_OFFSET_MS_MAX = 60_000

type Finding = Pick<NetworkCheckStep, 'state' | 'detail' | 'advice'>

/** Answers "why is it slow or alone", one question at a time. */
export async function checkNetwork(network: Network, store: Store, platform: Platform): Promise<NetworkCheckStep[]> {
  const checks: readonly [string, () => Promise<Finding> | Finding][] = [
    ['Relay answers', () => checkRelay(platform)],
    ['Relay reservation', () => checkReservation(network)],
    ['Direct connections', () => checkDirect(network)],
    ['Connection budget', () => checkBudget(network)],
    ['Storage', () => checkStorage(store)],
    ['Clock', () => checkClock(network)],
  ]
  const steps: NetworkCheckStep[] = []
  for (const [name, check] of checks) {
    const started = performance.now()
    const finding = await Promise.resolve()
      .then(check)
      .catch((error: unknown): Finding => ({ state: 'failed', detail: describe(error), advice: null }))
    steps.push({ name, ...finding, durationMs: performance.now() - started })
  }
  return steps
}

async function checkRelay({ probeRelay }: Platform): Promise<Finding> {
  if (probeRelay === undefined) return ok('Not asked: this peer has no page')
  try {
    return ok(`Answers over HTTP in ${Math.round(await probeRelay())} ms`)
  } catch (error) {
    return {
      state: 'failed',
      detail: describe(error),
      advice: 'Check that the relay runs and that this device is online; existing connections go on meanwhile',
    }
  }
}

function checkReservation(network: Network): Finding {
  const { relays } = network.status()
  const reserved = relays.filter(({ state }) => state === 'reserved').length
  if (reserved > 0) return ok(`Held at ${reserved} of ${relays.length} relays: others can find this peer`)
  const last = relays.find(({ lastError }) => lastError !== undefined)?.lastError
  return {
    state: relays.length === 0 ? 'failed' : 'warning',
    detail: last ?? 'No relay has a place for this peer yet',
    advice: 'Starling goes on trying; a relay that is full needs a higher limit or a second relay',
  }
}

function checkDirect(network: Network): Finding {
  const { direct, relayed, known, dials } = network.status()
  if (direct > 0) return ok(`${direct} direct, ${relayed} relayed`)
  if (known === 0)
    return { state: 'warning', detail: 'No other peer is known', advice: 'Invite somebody with the link on Home' }
  return {
    state: relayed > 0 ? 'warning' : 'failed',
    detail: `None of ${known} known peers is connected directly; ${dials.failed} of ${dials.started} dials failed`,
    advice: 'A firewall that blocks UDP is the usual cause; work still travels over the relay, slower',
  }
}

function checkBudget(network: Network): Finding {
  const { used, limit } = network.status().rtc
  if (used < limit * 0.8) return ok(`${used} of ${limit} connections of this tab used`)
  return {
    state: used < limit ? 'warning' : 'failed',
    detail: `${used} of ${limit} connections of this tab used`,
    advice: 'Close this tab and open it again when convenient: the browser allows each tab so many',
  }
}

async function checkStorage(store: Store): Promise<Finding> {
  const value = new Uint8Array(1024)
  await store.write([{ bucket: 'check', key: 'probe', value }])
  const back = await store.get('check', 'probe')
  await store.write([{ bucket: 'check', key: 'probe', value: undefined }])
  if (back?.byteLength === value.byteLength) return ok('Written and read back')
  return { state: 'failed', detail: 'What was written did not come back', advice: 'Free some disk space, then reload' }
}

function checkClock(network: Network): Finding {
  const { clockOffsetMs } = network.status()
  if (clockOffsetMs === undefined) return ok('Not compared yet: fewer than two peers have said their time')
  const detail = `${Math.round(clockOffsetMs)} ms from the others' median`
  if (Math.abs(clockOffsetMs) <= CLOCK_OFFSET_MS_MAX) return ok(detail)
  return { state: 'warning', detail, advice: "Set this device's clock: what it signs looks stale to others" }
}

function ok(detail: string): Finding {
  return { state: 'ok', detail, advice: null }
}
