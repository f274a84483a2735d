import type { FoundedNetwork } from '../core/admission/policy.ts'
import { subnetOf } from '../core/admission/subnet.ts'
import type { JobId, PeerId } from '../core/codec/ids.ts'
import type { TrustPolicy } from '../core/tasks/executor-trust.ts'
import { RECOMPUTATION_WALL_MS_MAX } from '../core/trust/limits.ts'
import type { Network } from '../net/network.ts'
import { ConflictDesk } from './conflict-desk.ts'
import type { LendingState } from './contract.ts'
import type { InputStore } from './input-store.ts'
import type { JobBook } from './job-book.ts'
import type { NodePorts } from './ports.ts'
import { TrustBook } from './trust-book.ts'
import { TrustStore } from './trust-store.ts'
import type { UnitRunner } from './unit-runner.ts'
import { WordGiver } from './word-giver.ts'

export interface OpenTrustInit {
  readonly ports: NodePorts
  readonly network: Network
  readonly founded: FoundedNetwork
  readonly book: JobBook
  readonly inputs: InputStore
  readonly runner: UnitRunner
  readonly lending: () => LendingState
  readonly onPolicy: (policy: TrustPolicy) => void
}

/** Opens a peer's trust book over the parts of a peer. */
export async function openTrust(init: OpenTrustInit): Promise<TrustBook> {
  const { ports, network, founded, book, inputs, runner } = init
  const { store, now, log, security } = ports
  const signedManifest = (job: JobId) => book.signedManifestOf(job)
  const material = {
    signedManifest,
    async inlineInput(job: JobId, unit: number) {
      const [input] = await inputs.load(job, [unit])
      return input === undefined || input instanceof Error ? undefined : input.inline
    },
  }
  const trust = await TrustBook.open({
    ports,
    network,
    log: security,
    self: ports.identity.root,
    preTrusted: [],
    store: new TrustStore({ store, now, onProblem: (message) => log.write('error', 'trust', message) }),
    desk: new ConflictDesk(ports, material, (work) => runner.run(work)),
    words: new WordGiver(ports, signedManifest),
    rootOf: (peer) => ports.admission.admitted(peer),
    subnetOf: (peer) => subnetOfPeer(network, peer),
    categoryOf: (job) => book.manifestOf(job)?.name ?? '',
    mayRecompute(wallMsMax) {
      // Nothing of others runs here unless its owner lends.
      const { settings, pausedBecause } = init.lending()
      return settings.optedIn && pausedBecause.length === 0 && wallMsMax <= RECOMPUTATION_WALL_MS_MAX
    },
    onPolicy: init.onPolicy,
  })
  // A restore brings another root, and what its owner knew elsewhere.
  ports.identity.onChange(() => trust.become(ports.identity.root))
  ports.identity.carry(trust.luggage)
  trust.enforce(founded.policy)
  return trust
}

/** Relayed peers count under their relay, whose address theirs begins with. */
function subnetOfPeer(network: Network, peer: PeerId): string | null {
  const connection = network.connections().find((each) => each.peer === peer)
  const address = connection && /^\/ip[46]\/([^/]+)/.exec(connection.remoteAddress)?.[1]
  return address === undefined ? null : subnetOf(address)
}
