import { type Beacon, epochAt, readBeacon } from '../core/admission/beacon.ts'
import { CREDENTIALS_PROTOCOL, type ShownCredentials, type Verdict } from '../core/admission/credentials.ts'
import { KnownIdentities } from '../core/admission/known-identities.ts'
import type { LevelChange } from '../core/admission/levels.ts'
import {
  ADMISSION_TICK_MS,
  BEACON_RETRY_MS,
  CAPABILITY_BYTES,
  MEETING_TIMEOUT_MS,
  VERDICTS_MAX,
} from '../core/admission/limits.ts'
import {
  type GuestReason,
  type HeldTicket,
  heldEndsAt,
  isGood,
  nextOwnStep,
  type OwnSituation,
} from '../core/admission/own-ticket.ts'
import type { FoundedNetwork } from '../core/admission/policy.ts'
import { encodeTicket, makeInviteTicket } from '../core/admission/ticket.ts'
import type { Argon2id } from '../core/admission/verify-ticket.ts'
import { InvalidMessageError } from '../core/codec/errors.ts'
import type { PeerId, RootId } from '../core/codec/ids.ts'
import { isPeerId } from '../core/identity/peer-id.ts'
import type { Verifier } from '../core/identity/ports.ts'
import { misconductOf } from '../core/trust/misconduct.ts'
import type { OnSecurityEvent } from '../core/trust/security-event.ts'
import { CredentialsDesk, type OwnCredentials } from '../net/credentials.ts'
import type { Network } from '../net/network.ts'
import { LineageRecords } from '../storage/lineage-records.ts'
import type { Store } from '../storage/store.ts'
import type { SpawnMiner } from '../workers/pow/contract.ts'
import type { AdmissionApi, AdmissionInfo, PolicyInfo } from './admission-contract.ts'
import { AdmissionRecords } from './admission-records.ts'
import { capabilitySigner, capabilityText, parseInvite } from './capability.ts'
import type { Reason } from './contract.ts'
import type { IdentityBook } from './identity-book.ts'
import type { Log } from './log.ts'
import { Mining } from './mining.ts'
import { securityTypeOf } from './refusal-type.ts'

/** What mining may use of the device. */
export interface Lent {
  readonly optedIn: boolean
  readonly workers: number
  readonly cpuShare: number
  /** What the device is on that its owner does not want to work on; mining rests then, as lending does. */
  readonly spares: 'battery' | 'metered' | null
}

export interface AdmissionInit {
  readonly founded: FoundedNetwork
  readonly identity: Pick<IdentityBook, 'root' | 'credentials' | 'shown' | 'observe' | 'onChange'>
  readonly network: Network
  readonly verifier: Verifier
  readonly store: Store
  readonly log: Log
  readonly now: () => number
  readonly argon2id: () => Promise<Argon2id>
  readonly spawn: SpawnMiner
  /** What the link that was opened invites with, as text. */
  readonly invite: string | null
  /** Asks the relay for the founder's beacon of now; `null` when it has none. */
  readonly fetchBeacon: () => Promise<Uint8Array | null>
  /** Mines without being asked, also where nothing is lent: in Node, whoever starts a peer wants to take part. */
  readonly mineUnasked: boolean
  readonly onSecurityEvent?: OnSecurityEvent
}

export interface AdmissionListeners {
  readonly lent: () => Lent
  /** Another peer came in or is in no more. */
  readonly onAdmitted: (peer: PeerId, root: RootId | null) => void
  readonly onChange: () => void
}

/**
 * Whether this peer may take part, and who else: gets a ticket by the policy's means, shows it to everyone, and judges what others
 * show. Rules [A1] to [A13].
 */
export class Admission implements AdmissionApi {
  readonly #init: AdmissionInit
  readonly #desk: CredentialsDesk
  readonly #mining: Mining
  readonly #records: AdmissionRecords
  readonly #lineages: LineageRecords
  readonly #identities: KnownIdentities
  readonly #verdicts = new Map<PeerId, Verdict>()
  readonly #stops: (() => void)[] = []
  #listeners: AdmissionListeners | null = null
  #capability: Uint8Array | null = null
  #invitation: Uint8Array | null = null
  #held: HeldTicket | null = null
  #beacon: Beacon | null = null
  #beaconAskedAt = Number.NEGATIVE_INFINITY
  #askingBeacon = false
  #guestReason: GuestReason | null = null
  #failure: Error | null = null
  /** `null`: never said. */
  #mineWanted: boolean | null = null
  #stepping = false

  constructor(init: AdmissionInit) {
    this.#init = init
    const { founded, network, verifier, store, now } = init
    this.#records = new AdmissionRecords(store, founded.networkId)
    this.#lineages = new LineageRecords(store)
    this.#mining = new Mining({
      network: founded,
      store,
      spawn: init.spawn,
      lent: () => this.#lent(),
      onFound: ({ root, ticket, beacon }) => {
        void this.#take({ root, ticket, beacon: beacon.statement })
      },
      onFailed: (error) => {
        this.#failure = error
        init.log.write('error', 'admission', `${error.name}: ${error.message}`)
        this.#changed()
      },
    })
    this.#identities = new KnownIdentities({
      network: founded,
      verifier,
      onLearned: (root, lineage) => {
        this.#lineages.save(root, lineage).catch((error: unknown) => {
          init.log.write('warn', 'admission', `What another identity showed is not kept: ${String(error)}`)
        })
      },
    })
    this.#desk = new CredentialsDesk({
      network: founded,
      verifier,
      argon2id: init.argon2id,
      now,
      send: (peer, message) => network.send(peer, CREDENTIALS_PROTOCOL, message),
      isConnected: (peer) => network.connections().some((connection) => connection.peer === peer),
      own: () => this.#shown(),
      rootOf: (device, shown) => {
        this.#learn(shown)
        return this.#identities.rootOf(device, shown, now())
      },
      onLevel: (change) => this.#levelled(change),
      onVerdict: (peer, verdict) => this.#judgedBy(peer, verdict),
      onRefused: (peer, error, evidence) => this.#refused(peer, error, evidence),
    })
  }

  /** Loads what is kept and begins to show it; the network need not run yet. */
  async start(listeners: AdmissionListeners): Promise<void> {
    this.#listeners = listeners
    const { network, identity, invite } = this.#init
    this.#identities.restore(await this.#lineages.all())
    const kept = await this.#records.read()
    this.#held = kept.held
    this.#mineWanted = kept.mine
    this.#takeInvite(kept.invite)
    // A link that was opened now is newer than what was kept.
    if (invite !== null && this.#takeInvite(parseInvite(invite))) await this.#keepInvite()
    await this.#step()
    network.believeClocks((peer) => isPeerId(peer) && this.#desk.admitted(peer) !== null)
    this.#stops.push(
      network.handle(CREDENTIALS_PROTOCOL, (peer, message) => this.#desk.receive(peer, message)),
      network.on('peer:connect', ({ peer }) => isPeerId(peer) && this.#desk.connected(peer)),
      network.on('peer:disconnect', ({ peer }) => this.#left(peer)),
      identity.onChange(() => this.#identityChanged()),
    )
    const timer = setInterval(() => this.#tick(), ADMISSION_TICK_MS)
    this.#stops.push(() => clearInterval(timer))
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) stop()
    this.#mining.stop()
    await this.#mining.save()
  }

  /** The identity of an admitted peer. */
  admitted(peer: PeerId): RootId | null {
    return this.#desk.admitted(peer)
  }

  /** Reaches a peer and waits until it is known whether it is admitted. */
  async meet(peer: PeerId): Promise<RootId | null> {
    const level = this.#desk.levels.get(peer)
    if (level === null) this.#desk.show(peer, true)
    if (level === null || level.level === 'unknown') {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, MEETING_TIMEOUT_MS)
      await Promise.race([this.#desk.settled(peer), late])
      clearTimeout(timer)
    }
    return this.#desk.admitted(peer)
  }

  /** Whether nothing is known of a peer: it is not connected. */
  isStranger(peer: PeerId): boolean {
    return this.#desk.levels.get(peer) === null
  }

  /** What this peer may hand on, for a link; `null` when it holds no capability. */
  get invite(): string | null {
    return this.#capability && capabilityText(this.#capability)
  }

  async admission(): Promise<AdmissionInfo> {
    return this.info()
  }

  info(): AdmissionInfo {
    const situation = this.#situation()
    const held = isGood(this.#held, situation) ? this.#held : null
    const mining = this.#mining.info()
    const refusal = held === null ? null : this.#refusal()
    const state = refusal !== null ? 'refused' : held !== null ? 'admitted' : mining === null ? 'guest' : 'mining'
    return {
      policy: policyInfo(this.#init.founded),
      state,
      means: held?.ticket.kind ?? null,
      reason: refusal ?? (held === null ? this.#guestBecause() : null),
      mining,
      expiresAt: held && heldEndsAt(held, this.#init.founded),
    }
  }

  async startMining(): Promise<void> {
    this.#failure = null
    await this.#wantMining(true)
  }

  async pauseMining(): Promise<void> {
    await this.#wantMining(false)
    this.#mining.pause()
    this.#changed()
  }

  async useInvite(invite: string): Promise<AdmissionInfo> {
    if (!this.#takeInvite(parseInvite(invite))) {
      throw new InvalidMessageError('The link does not invite to this network', {
        field: 'invite',
        value: invite.slice(0, 12),
      })
    }
    await this.#keepInvite()
    await this.#step()
    return this.info()
  }

  // ---------------------------------------------------------------- a ticket of one's own

  #situation(): OwnSituation {
    const { founded, identity, now } = this.#init
    return {
      network: founded,
      root: identity.root,
      held: this.#held,
      hasCapability: this.#capability !== null,
      invitation: this.#invitation,
      beacon: this.#beacon,
      nowMs: now(),
    }
  }

  async #step(): Promise<void> {
    if (this.#stepping) return
    this.#stepping = true
    try {
      await this.#makeTicket()
    } catch (error) {
      this.#failure = error as Error
      this.#init.log.write('error', 'admission', error instanceof Error ? error.message : String(error))
    } finally {
      this.#stepping = false
    }
  }

  async #makeTicket(): Promise<void> {
    const situation = this.#situation()
    const { root, network } = situation
    const step = nextOwnStep(situation)
    const sparing = this.#lent().spares
    this.#guestReason = null
    if (step.type === 'keep' || step.type === 'show' || step.type === 'sign') this.#mining.drop()
    switch (step.type) {
      case 'keep':
        return
      case 'show':
        return await this.#take({ root, ticket: step.ticket, beacon: null })
      case 'sign': {
        const { networkId } = network
        // The step says so only when the capability is here.
        const signer = capabilitySigner(this.#capability as Uint8Array)
        const ticket = await makeInviteTicket({ networkId, root, epoch: step.epoch }, signer)
        return await this.#take({ root, ticket, beacon: null })
      }
      case 'work':
        this.#guestReason = sparing === null ? 'needs-work' : `mining-rests-${sparing}`
        if (this.#failure === null && sparing === null && (this.#mineWanted ?? this.#minesUnasked())) {
          await this.#mining.run(root, step.beacon)
        } else {
          // Also one that was told to rest while it began.
          this.#mining.rest()
        }
        return
      case 'none':
        this.#guestReason = step.reason
        if (step.reason === 'beacon-unknown') this.#askBeacon()
    }
  }

  /** Kept before it is shown: a proof costs too much to be lost by a crash. */
  async #take(held: HeldTicket): Promise<void> {
    this.#held = held
    this.#verdicts.clear()
    await this.#records.saveHeld(held).catch((error: unknown) => {
      this.#init.log.write('warn', 'admission', `The ticket is not kept: ${String(error)}`)
    })
    this.#desk.showAll()
    this.#changed()
  }

  /** A ticket is worth nothing without the identity it was made for. */
  #shown(): OwnCredentials {
    const { identity } = this.#init
    const counts = identity.credentials() !== null
    const held = counts && isGood(this.#held, this.#situation()) ? this.#held : null
    return {
      // Also of an identity that counts no more: others learn of its revocation from it.
      ...identity.shown(),
      ticket: held && encodeTicket(held.ticket),
      beacon: held?.beacon ?? null,
    }
  }

  /** Another device of one's own identity may know more of it. What is wrong with it is said where it is judged. */
  #learn({ lineage, certificate }: Pick<ShownCredentials, 'lineage' | 'certificate'>): void {
    if (lineage === null) return
    this.#init.identity.observe({ lineage, certificate }).catch(() => undefined)
  }

  /** @returns Whether it invites to this network. */
  #takeInvite(invite: Uint8Array | null): boolean {
    if (invite === null) return false
    const { policy } = this.#init.founded
    if (invite.length !== CAPABILITY_BYTES) {
      if (policy.kind !== 'members') return false
      this.#invitation = invite
      return true
    }
    if (capabilitySigner(invite).author !== policy.inviteKey) return false
    this.#capability = invite
    return true
  }

  async #keepInvite(): Promise<void> {
    const invite = this.#capability ?? this.#invitation
    if (invite !== null) await this.#records.saveInvite(invite)
  }

  #minesUnasked(): boolean {
    return this.#init.mineUnasked || this.#lent().optedIn
  }

  async #wantMining(mine: boolean): Promise<void> {
    this.#mineWanted = mine
    await this.#records.saveMine(mine)
    await this.#step()
    this.#changed()
  }

  #lent(): Lent {
    return this.#listeners?.lent() ?? { optedIn: false, workers: 1, cpuShare: 1, spares: null }
  }

  #askBeacon(): void {
    const now = this.#init.now()
    if (this.#askingBeacon || now - this.#beaconAskedAt < BEACON_RETRY_MS) return
    this.#beaconAskedAt = now
    this.#askingBeacon = true
    this.#fetchBeacon()
      .catch((error: unknown) => this.#init.log.write('debug', 'admission', `No beacon: ${String(error)}`))
      .finally(() => {
        this.#askingBeacon = false
      })
  }

  async #fetchBeacon(): Promise<void> {
    const { fetchBeacon, founded, verifier } = this.#init
    const statement = await fetchBeacon()
    if (statement === null) return
    this.#beacon = await readBeacon(statement, founded, verifier)
    await this.#step()
  }

  #tick(): void {
    this.#desk.tick()
    const { founded, now } = this.#init
    const { policy } = founded
    // The beacon of a new epoch is worth asking for as soon as it is there.
    const wantsBeacon = policy.kind === 'open' && policy.beacon === 'founder'
    if (wantsBeacon && this.#beacon?.epoch !== epochAt(now(), policy.epochMs)) this.#askBeacon()
    void this.#step()
    if (this.#mining.info() !== null) this.#changed()
  }

  #identityChanged(): void {
    this.#desk.showAll()
    void this.#step()
    this.#changed()
  }

  #guestBecause(): Reason | null {
    if (this.#failure !== null) return { code: this.#failure.name, detail: this.#failure.message }
    return this.#guestReason && { code: this.#guestReason }
  }

  /** Only when everyone who looked refused it: one peer's word is one peer's word. */
  #refusal(): Reason | null {
    let last: Verdict | null = null
    for (const verdict of this.#verdicts.values()) {
      if (verdict.level === 'admitted' || verdict.error === null) return null
      last = verdict
    }
    return last && { code: last.error ?? 'guest', detail: last.reason ?? '' }
  }

  // ---------------------------------------------------------------- others

  #levelled({ peer, before, level }: LevelChange): void {
    const root = level?.level === 'admitted' ? level.root : null
    if (root !== null || before === 'admitted') this.#listeners?.onAdmitted(peer, root)
    if (root !== null)
      this.#init.onSecurityEvent?.({ type: 'peer-admitted', peerId: peer, rootId: root, message: 'Let in' })
  }

  #left(peer: string): void {
    if (!isPeerId(peer)) return
    this.#verdicts.delete(peer)
    this.#desk.disconnected(peer)
  }

  #judgedBy(peer: PeerId, verdict: Verdict): void {
    if (this.#verdicts.size >= VERDICTS_MAX && !this.#verdicts.has(peer)) return
    this.#verdicts.set(peer, verdict)
    if (verdict.error !== null) {
      this.#init.log.write(
        'warn',
        'admission',
        `${peer.slice(-6)} does not let us in: ${verdict.error}: ${verdict.reason}`,
      )
    }
    this.#changed()
  }

  #refused(peer: PeerId, error: Error, evidence: Uint8Array | null): void {
    this.#init.log.write(
      'warn',
      'admission',
      `Refused credentials of ${peer.slice(-6)}: ${error.name}: ${error.message}`,
    )
    this.#init.onSecurityEvent?.({
      type: securityTypeOf(error.name),
      peerId: peer,
      message: `${error.name}: ${error.message}`,
      ...(evidence !== null && { evidence: [evidence] }),
      // A ticket that has run out, or of another policy, is no ill will; a signature that nobody made is.
      misconduct: misconductOf(error) === 'forged' ? 'forged' : null,
    })
  }

  #changed(): void {
    this.#listeners?.onChange()
  }
}

function policyInfo({ policy, founder, createdAtMs }: FoundedNetwork): PolicyInfo {
  const { kind, name, quotas, subnetLimits, work } = policy
  const { difficultyBitsMin, difficultyBitsMax, memoryKibibytes } = work
  return {
    kind,
    name,
    founder,
    createdAt: createdAtMs,
    quotas,
    subnetLimits,
    work: { difficultyBitsMin, difficultyBitsMax, memoryKibibytes },
  }
}
