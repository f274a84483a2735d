import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidMessageError } from '../core/codec/errors.ts'
import type { RootId } from '../core/codec/ids.ts'
import { isPeerId, peerIdOf } from '../core/identity/peer-id.ts'
import { TrustState } from '../core/trust/trust-state.ts'
import { loadDeviceKeyFile } from '../storage/device-key-file.node.ts'
import { SqliteStore } from '../storage/sqlite-store.node.ts'
import { monotonicClock } from './clock.ts'
import { SecurityLog } from './security-log.ts'
import type { SecurityEvent, SecurityFilter, TrustEntry, TrustHistory } from './trust-contract.ts'
import { TrustStore } from './trust-store.ts'
import { attestationsOf, entryOf, historyPoints, reasonWords } from './trust-view.ts'

/** The trust of a Node peer's folder, without a network. */
export interface TrustFolder {
  entries(): readonly TrustEntry[]
  history(rootId: string): TrustHistory | null
  events(filter: SecurityFilter): readonly SecurityEvent[]
  exportEvents(filter: SecurityFilter): Uint8Array
  /** @throws `InvalidMessageError` When it is no root id. */
  block(rootId: string, options: { readonly durationMs: number | null; readonly reason: string }): void
  /** @returns Whether it was on the blacklist. */
  unblock(rootId: string): boolean
  close(): Promise<void>
}

/**
 * Opens what the peer of a folder thinks of others. What is changed here a peer that runs on the folder would not see, and would
 * write over: whoever changes must hold the folder's key file.
 *
 * @throws `InvalidMessageError` When no peer ever ran there.
 */
export async function openTrustFolder(dataDir: string, onProblem: (message: string) => void): Promise<TrustFolder> {
  const file = join(dataDir, 'starling.sqlite')
  if (!existsSync(file)) {
    throw new InvalidMessageError(`${dataDir} holds no peer's records`, { field: '--data-dir', value: dataDir })
  }
  const { publicKey } = await loadDeviceKeyFile(join(dataDir, 'device.key'))
  const store = new SqliteStore(file)
  const now = monotonicClock()
  const log = await SecurityLog.open({ store, now, onProblem })
  const records = new TrustStore({ store, now, onProblem })
  const loaded = await records.load()
  // Nobody judges itself; which root the device has does not matter here.
  const self = peerIdOf(publicKey) as string as RootId
  const state = new TrustState({ self, quotas: false, records: loaded.records })
  for (const heard of loaded.attestations) state.attestations.add(heard)
  const changed = (root: RootId): void => {
    const record = state.record(root)
    if (record !== undefined) records.changed(record)
  }
  return {
    entries: () => [...state.roots].map((record) => entryOf(state, record, now())),
    history(rootId) {
      const record = state.record(rootId as RootId)
      if (record === undefined) return null
      return {
        entry: entryOf(state, record, now()),
        points: historyPoints(record),
        attestations: attestationsOf(state, record.root, now()),
        evidence: log.list({ peer: rootId }).filter(({ evidence }) => evidence.length > 0),
      }
    },
    events: (filter) => log.list(filter),
    exportEvents: (filter) => log.export(filter),
    block(rootId, { durationMs, reason }) {
      const root = asRoot(rootId)
      const untilMs = durationMs === null ? null : now() + durationMs
      for (const change of state.block(root, { nowMs: now(), untilMs, reason })) {
        if (change.type !== 'blacklisted') continue
        log.add({ type: 'peer-blacklisted', rootId: root, message: reasonWords(change.barred) })
      }
      changed(root)
    },
    unblock(rootId) {
      const root = asRoot(rootId)
      const lifted = state.unblock(root, now()).length > 0
      if (lifted) {
        log.add({ type: 'peer-unblacklisted', rootId: root, message: 'Taken off the blacklist by hand' })
        changed(root)
      }
      return lifted
    },
    async close() {
      await records.flush()
      await log.flush()
      await store.close()
    },
  }
}

function asRoot(text: string): RootId {
  if (isPeerId(text)) return text as string as RootId
  throw new InvalidMessageError(`"${text.slice(0, 80)}" is no root id`, { field: 'rootId', value: text.slice(0, 80) })
}
