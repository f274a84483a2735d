import { Executor } from '../core/tasks/executor.ts'
import type { ExecutorEffect, ExecutorEvent, OutboxRecord } from '../core/tasks/executor-events.ts'
import type { DecidedUnit } from '../core/tasks/job.ts'
import type { Capability } from '../core/tasks/matching.ts'
import {
  type DamagedRecord,
  loadDecided,
  loadJobs,
  loadOutbox,
  loadRequesterRecords,
} from '../core/tasks/record-codec.ts'
import type { JobRecord, RequesterRecords } from '../core/tasks/records.ts'
import { Requester } from '../core/tasks/requester.ts'
import type { RequesterEffect, RequesterEvent } from '../core/tasks/requester-events.ts'
import type { Rng } from '../core/tasks/rng.ts'
import type { RecordReader } from '../core/tasks/store-ops.ts'
import type { Store } from '../storage/store.ts'
import type { NodePorts } from './ports.ts'
import type { ScheduledMachine } from './scheduled-machine.ts'

/** The two scheduler cores of one peer. */
export function createMachines(
  { self, random }: NodePorts,
  capability: Capability,
): {
  readonly requester: ScheduledMachine<RequesterEvent, RequesterEffect>
  readonly executor: ScheduledMachine<ExecutorEvent, ExecutorEffect>
} {
  const rng = platformRng(random)
  return { requester: new Requester({ self, rng }), executor: new Executor({ self, capability }) }
}

/** Everything durable that a peer goes on from. */
export interface PeerRecords {
  readonly requester: RequesterRecords
  readonly outbox: readonly OutboxRecord[]
  /** All jobs, the finished ones too, with what was decided. */
  readonly jobs: readonly { readonly record: JobRecord; readonly decided: readonly DecidedUnit[] }[]
  readonly damaged: readonly DamagedRecord[]
}

export async function readRecords(store: Store): Promise<PeerRecords> {
  const reader = recordReader(store)
  const { records: requester, damaged } = await loadRequesterRecords(reader)
  const { outbox, damaged: damagedOutbox } = await loadOutbox(reader)
  const unreadable: DamagedRecord[] = []
  const jobs: PeerRecords['jobs'][number][] = []
  for (const record of (await loadJobs(reader)).jobs) {
    jobs.push({ record, decided: await loadDecided(reader, { job: record.job, damaged: unreadable }) })
  }
  return { requester, outbox, jobs, damaged: [...damaged, ...damagedOutbox, ...unreadable] }
}

/** The store as the core's codecs read it. */
export function recordReader(store: Store): RecordReader {
  return {
    get: (bucket, key) => store.get(bucket, key),
    async list(bucket, prefix) {
      const found: { key: string; value: Uint8Array }[] = []
      for await (const [key, value] of store.list(bucket, prefix)) found.push({ key, value })
      return found
    },
  }
}

function platformRng(random: NodePorts['random']): Rng {
  return {
    below(bound) {
      const [word = 0] = new Uint32Array(random(4).buffer)
      // The bias of a product over 2^32 does not matter to a choice among executors.
      return Math.floor((word / 2 ** 32) * bound)
    },
  }
}
