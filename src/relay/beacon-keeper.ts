import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Beacon, epochAt, readBeacon, signBeacon } from '../core/admission/beacon.ts'
import { nextDifficultyBits } from '../core/admission/difficulty.ts'
import { BEACON_RANDOM_BYTES } from '../core/admission/limits.ts'
import { Newcomers } from '../core/admission/newcomers.ts'
import type { FoundedNetwork } from '../core/admission/policy.ts'
import type { RootId } from '../core/codec/ids.ts'
import { NONCE_BYTES } from '../core/identity/limits.ts'
import type { Signer, Verifier } from '../core/identity/ports.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

export interface BeaconKeeperInit {
  readonly network: FoundedNetwork
  readonly founder: Signer
  readonly verifier: Verifier
  readonly dataDir: string | null
  readonly now: () => number
}

const BEACON_FILE = 'beacon'

/**
 * Draws the beacon when an epoch begins, once, and keeps it: a relay that starts again in the same epoch goes on with it, or proofs made
 * for it would be worthless. Rules [A4] and [A8].
 */
export class BeaconKeeper {
  readonly #init: BeaconKeeperInit
  readonly #newcomers = new Newcomers()
  #beacon: Beacon | null = null

  constructor(init: BeaconKeeperInit) {
    this.#init = init
  }

  get newcomers(): number {
    return this.#newcomers.count
  }

  /** An identity came by work. */
  admitted(root: RootId): void {
    this.#newcomers.admitted(root)
  }

  /** The beacon of this moment; `null` for networks whose beacon everybody computes. */
  async beacon(): Promise<Beacon | null> {
    const { network, founder, now } = this.#init
    // A relay that did not found the network cannot draw for it.
    if (network.policy.beacon === 'derived' || founder.author !== network.founder) return null
    this.#beacon ??= await this.#read()
    const epoch = epochAt(now(), network.policy.epochMs)
    if (this.#beacon?.epoch === epoch) return this.#beacon
    const difficultyBits = this.#difficultyBits(epoch)
    this.#newcomers.turn()
    const drawn = { epoch, random: new Uint8Array(randomBytes(BEACON_RANDOM_BYTES)), difficultyBits }
    const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
    const beacon = await signBeacon(drawn, { networkId: network.networkId, founder, nowMs: now(), nonce })
    // Kept before anybody is told of it.
    if (this.#init.dataDir !== null && beacon.statement !== null) {
      writePrivateFile(join(this.#init.dataDir, BEACON_FILE), beacon.statement)
    }
    this.#beacon = beacon
    return beacon
  }

  #difficultyBits(epoch: number): number {
    const { work } = this.#init.network.policy
    const last = this.#beacon
    if (last === null) return work.difficultyBitsMin
    // Epochs in which the relay was away saw nobody.
    let bits = nextDifficultyBits(last.difficultyBits, { ...work, newcomers: this.#newcomers.count })
    for (let quiet = last.epoch + 1; quiet < epoch && bits > work.difficultyBitsMin; quiet++) {
      bits = nextDifficultyBits(bits, { ...work, newcomers: 0 })
    }
    return bits
  }

  async #read(): Promise<Beacon | null> {
    const { dataDir, network, verifier } = this.#init
    const bytes = dataDir === null ? null : readPrivateFile(join(dataDir, BEACON_FILE))
    if (bytes === null) return null
    // A damaged or foreign one is replaced; proofs for it have to be made again.
    return await readBeacon(new Uint8Array(bytes), network, verifier).catch(() => null)
  }
}
