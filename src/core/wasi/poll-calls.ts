import {
  CLOCK,
  ERRNO,
  type ErrnoName,
  EVENTRWFLAG,
  EVENTTYPE,
  FILETYPE,
  RECORD_BYTES,
  RIGHT,
  SUBCLOCKFLAG,
} from './abi.ts'
import { fail } from './fault.ts'
import { SUBSCRIPTION_GAS } from './gas.ts'
import type { Call, Host } from './host.ts'
import { SUBSCRIPTIONS_MAX } from './limits.ts'

const U64_MAX = 2n ** 64n - 1n

/** One thing waited for, as read from guest memory. */
interface Subscription {
  readonly userdata: bigint
  readonly type: number
  /** Nanoseconds until it happens: 0 at once. */
  readonly waitNs: bigint
  readonly error: ErrnoName
  readonly bytes: number
  readonly flags: number
}

/**
 * Waiting. Nothing but time can be waited for here, since files and pipes are always ready: with only clocks, virtual time
 * moves to the earliest deadline; with anything ready, it does not move.
 */
export const POLL_CALLS = {
  poll_oneoff: (host, subscriptions: number, events: number, count: number, result: number) => {
    const total = count >>> 0
    if (total === 0 || total > SUBSCRIPTIONS_MAX) fail('inval')
    const { memory, budget, clock } = host
    const from = memory.check(subscriptions, total * RECORD_BYTES.subscription)
    const to = memory.check(events, total * RECORD_BYTES.event)
    memory.check(result, 4)
    budget.spendFor(total, SUBSCRIPTION_GAS)
    const waiting: Subscription[] = []
    for (let i = 0; i < total; i++) waiting.push(readSubscription(host, from + i * RECORD_BYTES.subscription))
    let wait = U64_MAX
    for (const { waitNs } of waiting) if (waitNs < wait) wait = waitNs
    clock.sleep(wait)
    let happened = 0
    for (const subscription of waiting) {
      if (subscription.waitNs > wait) continue
      writeEvent(host, to + happened * RECORD_BYTES.event, subscription)
      happened++
    }
    memory.setU32(result, happened)
  },
} satisfies Record<string, Call>

/** @throws EINVAL for an unknown type or clock flag. Anything else wrong is told in the event. */
function readSubscription(host: Host, at: number): Subscription {
  const { memory } = host
  const userdata = memory.u64(at)
  const type = memory.u8(at + 8)
  const what = { userdata, type, waitNs: 0n, error: 'success', bytes: 0, flags: 0 } as const
  switch (type) {
    case EVENTTYPE.clock:
      return { ...what, ...clockWait(host, at + 16) }
    case EVENTTYPE.fdRead:
    case EVENTTYPE.fdWrite:
      return { ...what, ...readiness(host, memory.u32(at + 16), type) }
    default:
      return fail('inval')
  }
}

function clockWait(host: Host, at: number): Pick<Subscription, 'waitNs' | 'error'> {
  const { memory, clock } = host
  const id = memory.u32(at)
  const timeoutNs = memory.u64(at + 8)
  const flags = memory.u16(at + 24)
  if ((flags & ~SUBCLOCKFLAG.abstime) !== 0) fail('inval')
  // A clock that stands still while the program sleeps would never get there.
  if (id === CLOCK.processCputime || id === CLOCK.threadCputime) return { waitNs: 0n, error: 'notsup' }
  if (id !== CLOCK.realtime && id !== CLOCK.monotonic) return { waitNs: 0n, error: 'inval' }
  if ((flags & SUBCLOCKFLAG.abstime) === 0) return { waitNs: timeoutNs, error: 'success' }
  const now = clock.peek(id)
  return { waitNs: timeoutNs > now ? timeoutNs - now : 0n, error: 'success' }
}

function readiness(host: Host, fd: number, type: number): Pick<Subscription, 'error' | 'bytes' | 'flags'> {
  const descriptor = host.descriptors.find(fd)
  if (descriptor === undefined) return { error: 'badf', bytes: 0, flags: 0 }
  const { node, rights, offset } = descriptor
  const transfer = type === EVENTTYPE.fdRead ? RIGHT.fdRead : RIGHT.fdWrite
  const needed = RIGHT.pollFdReadwrite | transfer
  if (node.filetype === FILETYPE.directory) return { error: 'isdir', bytes: 0, flags: 0 }
  if ((rights & needed) !== needed) return { error: 'notcapable', bytes: 0, flags: 0 }
  if (type === EVENTTYPE.fdWrite) return { error: 'success', bytes: 0, flags: 0 }
  if (node.filetype === FILETYPE.regularFile) {
    return { error: 'success', bytes: Math.max(0, node.content.size - offset), flags: 0 }
  }
  const bytes = node.pipe.available
  // Whoever filled the pipe is gone: what is there is all there will be.
  return { error: 'success', bytes, flags: bytes === 0 ? EVENTRWFLAG.hangup : 0 }
}

function writeEvent(host: Host, at: number, { userdata, type, error, bytes, flags }: Subscription): void {
  const { memory } = host
  memory.setU64(at, userdata)
  memory.setU16(at + 8, ERRNO[error])
  memory.setU8(at + 10, type)
  memory.setU64(at + 16, BigInt(bytes))
  memory.setU16(at + 24, flags)
}
