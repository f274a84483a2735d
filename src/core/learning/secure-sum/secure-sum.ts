import { fromHex, utf8 } from '../../codec/bytes.ts'
import { invariant } from '../../codec/errors.ts'
import { sha256Bytes, sha256Hex } from '../../codec/hash.ts'
import type { Hash, PeerId } from '../../codec/ids.ts'
import type { ByteSource } from '../byte-source.ts'
import { type ChannelEnd, deal, dealtSizesFit, drawSecrets, openDealt, type SumSecrets } from './dealing.ts'
import { InvalidShareError, LowOrderKeyError, SumOverflowError } from './errors.ts'
import type {
  AgreeRequest,
  FailureReason,
  MaskTerm,
  RefusalReason,
  SecureSumEffect,
  SecureSumEvent,
  SumWork,
} from './events.ts'
import { type GraphPlan, neighboursOf, planGraph } from './graph.ts'
import { checkPublicKey, publicKeyOf } from './key-agreement.ts'
import { SECURE_SUM_PENDING_MAX } from './limits.ts'
import { bytesToValues, ownSeed, pairSeed, valuesToBytes } from './mask.ts'
import type {
  KeysBody,
  MaskedBody,
  RevealedShare,
  RosterBody,
  RosterStage,
  SecureSumMessage,
  SharesBody,
  UnmaskBody,
} from './messages.ts'
import { commitSeed, type SharePair } from './sealed-shares.ts'
import { checkTerms, type SecureSumTerms, sessionOf } from './session.ts'
import { type Kept, keep, rosterDigestOf, StatementBook, sameBytes } from './statement-book.ts'
import { countFault, exposedSurvivor, type OpenRoster, rosterFault, STAGES } from './sum-roster.ts'
import { type DealerFacts, Unmasking } from './unmasking.ts'

export interface SecureSumInit {
  readonly terms: SecureSumTerms
  readonly self: PeerId
  /** Cryptographic. Called when the peer joins and when it deals. */
  readonly random: ByteSource
}

/** What happens when an answer comes. */
type Continuation = (answer: readonly (Uint8Array | null)[] | Int32Array) => void

/** Where a peer stands in its own part. */
type OwnPart = 'watching' | 'joined' | 'dealt' | 'masked'

/**
 * One peer's view of one secure sum: four stages (advertise keys, share keys, masked vectors, unmask), each closed by a roster that a
 * caller signs. Double masking after K. Bonawitz et al., "Practical secure aggregation for privacy-preserving machine learning", CCS
 * 2017; rules [Q1] to [Q10] of docs/PROTOCOL.md.
 *
 * One file, though a long one: every stage reads and closes what the stage before it wrote, and nothing here is of use outside; what can stand
 * alone (graph, dealing, unmasking, rosters, statements) does.
 *
 * Pure: `step` takes an event and returns effects. Statements come with verified signatures. Everybody hears everything, so every peer
 * finds the sum by itself, those that only watch or dropped out as well, and a caller is trusted with nothing.
 *
 * The state is in memory only, on purpose: a peer that restarts in the middle is a dropout. Were it to come back with the same keys, it could
 * be led to answer twice.
 */
export class SecureSum {
  readonly session: Hash
  readonly #terms: SecureSumTerms
  readonly #self: PeerId
  readonly #random: ByteSource

  readonly #keys = new StatementBook<KeysBody>()
  readonly #shares = new StatementBook<SharesBody>()
  readonly #masked = new StatementBook<MaskedBody>()
  readonly #revealed = new StatementBook<UnmaskBody>()
  readonly #values = new Map<PeerId, { readonly hash: Hash; readonly values: Int32Array }>()
  readonly #rosters = new Map<RosterStage, OpenRoster>()
  /** A roster that waits for statements it names. */
  #awaited: OpenRoster | null = null
  /** What came before its stage. */
  #pending: SecureSumMessage[] = []

  #ownPart: OwnPart = 'watching'
  #secrets: SumSecrets | null = null
  #input: Int32Array | null = null
  #isMasking = false
  #plan: GraphPlan | null = null
  #neighbours: ReadonlyMap<PeerId, readonly PeerId[]> = new Map()
  #channels: ReadonlyMap<PeerId, ChannelEnd> = new Map()
  #ownShares: SharePair | null = null
  #dealtToSelf = new Map<PeerId, SharePair>()
  #unmasking: Unmasking | null = null
  #isSumming = false
  #outcome: 'sum' | 'failed' | null = null

  readonly #answers = new Map<number, Continuation>()
  #lastId = 0
  #effects: SecureSumEffect[] = []

  constructor(init: SecureSumInit) {
    checkTerms(init.terms)
    this.session = sessionOf(init.terms)
    this.#terms = init.terms
    this.#self = init.self
    this.#random = init.random
  }

  /** How it ended, or `null` while it goes on. */
  get outcome(): 'sum' | 'failed' | null {
    return this.#outcome
  }

  /** The stage whose roster is open; `null` while keys are advertised. */
  get stage(): RosterStage | null {
    return STAGES.findLast((stage) => this.#rosters.has(stage)) ?? null
  }

  /** What the roster of an open stage says, as its hash; `null` while the stage is not open. */
  opened(stage: RosterStage): Uint8Array | null {
    return this.#rosters.get(stage)?.digest ?? null
  }

  /**
   * Takes an event.
   *
   * @returns What is to be done about it, in order.
   * @throws {@link SumOverflowError} When the own input breaks the bound of the terms; nothing is published of it.
   */
  step(event: SecureSumEvent): readonly SecureSumEffect[] {
    this.#effects = []
    if (this.#outcome === null) this.#take(event)
    return this.#effects
  }

  #take(event: SecureSumEvent): void {
    switch (event.type) {
      case 'join':
        return this.#join(event.commitment)
      case 'message':
        return this.#message(event.message)
      case 'input':
        return this.#takeInput(event.values)
      case 'values':
        return this.#takeValues(event.of, event.bytes)
      case 'agreed':
        return this.#answer(event.id, event.secrets)
      case 'worked':
        return this.#answer(event.id, event.values)
      case 'close':
        return this.#close(event.stage)
      case 'expire':
        return this.#expire()
    }
  }

  // Advertise keys.

  #join(commitment: Uint8Array | undefined): void {
    invariant((commitment !== undefined) === (this.#terms.proved === true), 'who proves has committed')
    if (this.#ownPart !== 'watching' || this.#rosters.size > 0) return
    this.#ownPart = 'joined'
    const secrets = drawSecrets(this.#random)
    this.#secrets = secrets
    const body: KeysBody = {
      session: this.session,
      channelKey: publicKeyOf(secrets.channel),
      maskKey: publicKeyOf(secrets.mask),
      seedCommitment: commitSeed(secrets.seed, this.session, this.#self),
      ...(commitment === undefined ? {} : { commitment }),
    }
    this.#effects.push({ type: 'publish', content: { kind: 'secure-sum-keys', body } })
  }

  // Statements.

  #message(message: SecureSumMessage): void {
    const { statement } = message.decoded
    if (statement.body.session !== this.session) {
      return this.#refuse(statement.author, 'wrong-session', `It is of session ${statement.body.session}`)
    }
    switch (message.kind) {
      case 'secure-sum-keys':
        return this.#takeKeys(keep(message.decoded))
      case 'secure-sum-roster':
        return this.#takeRoster(message, keep(message.decoded))
      case 'secure-sum-shares':
        return this.#takeShares(message, keep(message.decoded))
      case 'secure-sum-masked':
        return this.#takeMasked(message, keep(message.decoded))
      case 'secure-sum-unmask':
        return this.#takeUnmask(message, keep(message.decoded))
      case 'secure-sum-proof':
        // Of a sum that is known: its attempt's to judge.
        return
    }
  }

  #takeKeys(kept: Kept<KeysBody>): void {
    try {
      checkPublicKey(kept.body.channelKey)
      checkPublicKey(kept.body.maskKey)
    } catch (error) {
      if (!(error instanceof LowOrderKeyError)) throw error
      return this.#convict(kept.author, 'low-order-key', [kept.bytes], error.message)
    }
    if ((kept.body.commitment !== undefined) !== (this.#terms.proved === true))
      return this.#refuse(
        kept.author,
        'wrong-commitment',
        'Its keys come with a commitment exactly where the terms ask for it',
      )
    this.#store(this.#keys, kept)
  }

  #takeShares(message: SecureSumMessage, kept: Kept<SharesBody>): void {
    const roster = this.#openFor('share', message, kept)
    if (roster === null) return
    if (!dealtSizesFit(kept.body, this.#neighboursOf(kept.author))) {
      const detail = `It has ${kept.body.boxes.length} bytes of boxes for ${this.#neighboursOf(kept.author).length} neighbours`
      return this.#convict(kept.author, 'wrong-shares', [kept.bytes, roster.bytes], detail)
    }
    this.#store(this.#shares, kept)
  }

  #takeMasked(message: SecureSumMessage, kept: Kept<MaskedBody>): void {
    const roster = this.#openFor('mask', message, kept)
    if (roster === null) return
    if (kept.body.length !== this.#terms.length) {
      const detail = `It has ${kept.body.length} values, limit ${this.#terms.length}`
      return this.#convict(kept.author, 'wrong-length', [kept.bytes], detail)
    }
    this.#store(this.#masked, kept)
    this.#sumUp()
  }

  #takeUnmask(message: SecureSumMessage, kept: Kept<UnmaskBody>): void {
    const both = Unmasking.bothOf(kept.body)
    if (both !== null) {
      return this.#convict(kept.author, 'both-shares-revealed', [kept.bytes], `It reveals both shares of ${both}`)
    }
    // Whoever masked may answer, in the sum or not: a slow peer still holds shares of others.
    const roster = this.#openFor('unmask', message, kept)
    if (roster === null || this.#unmasking === null) return
    const { isNew, twin } = this.#revealed.add(kept, false)
    if (twin !== null) return this.#convict(kept.author, 'equivocation', [twin.bytes, kept.bytes], 'It answered twice')
    if (!isNew) return
    try {
      const fault = this.#unmasking.take(kept.author, kept.body)
      if (fault !== null) return this.#convict(kept.author, 'wrong-shares', [kept.bytes, roster.bytes], fault)
    } catch (error) {
      if (!(error instanceof InvalidShareError)) throw error
      const dealer = this.#find(this.#shares, 'mask', error.details.value as PeerId)
      const statements = dealer === undefined ? [kept.bytes] : [kept.bytes, dealer.bytes]
      return this.#convict(kept.author, 'invalid-share', statements, error.message)
    }
    this.#sumUp()
  }

  /** @returns The open roster that a statement answers; `null` after refusing it, or keeping it for later. */
  #openFor(
    stage: RosterStage,
    message: SecureSumMessage,
    { author, body }: Kept<{ readonly roster: Uint8Array }>,
  ): OpenRoster | null {
    const roster = this.#rosters.get(stage)
    if (roster === undefined) {
      if (this.#pending.length < SECURE_SUM_PENDING_MAX) this.#pending.push(message)
      else this.#refuse(author, 'too-many-pending', `${this.#pending.length} statements wait already`)
      return null
    }
    const members = stage === 'unmask' ? this.#membersOf('mask') : roster.members
    if (!members.has(author)) this.#refuse(author, 'not-a-participant', `It is not in the ${stage} stage`)
    else if (!sameBytes(body.roster, roster.digest)) this.#refuse(author, 'wrong-roster', 'It answers another roster')
    else return roster
    return null
  }

  #store<Body>(book: StatementBook<Body>, kept: Kept<Body>): void {
    const { isNew, twin } = book.add(kept, this.#isWanted(kept))
    if (twin !== null) {
      this.#convict(kept.author, 'equivocation', [twin.bytes, kept.bytes], 'It made two statements in one place')
    }
    if (isNew) this.#tryOpen()
  }

  #isWanted({ author, digest }: Kept<unknown>): boolean {
    const entry = this.#awaited?.body.entries.find(({ peer }) => peer === author)
    return entry !== undefined && sameBytes(entry.digest, digest)
  }

  // Rosters.

  #takeRoster(message: SecureSumMessage, kept: Kept<RosterBody>): void {
    const { body, author, bytes } = kept
    if (!this.#terms.callers.includes(author)) return this.#refuse(author, 'not-a-caller', 'It may not call stages')
    const fault = rosterFault(body)
    if (fault !== null) return this.#convict(author, 'malformed-roster', [bytes], fault)
    const digest = rosterDigestOf(body)
    const known = this.#awaited?.body.stage === body.stage ? this.#awaited : this.#rosters.get(body.stage)
    if (known !== undefined && known !== null) return this.#compareRosters(known, kept, digest)
    if (body.stage !== STAGES[this.#rosters.size] || this.#awaited !== null) {
      if (this.#pending.length < SECURE_SUM_PENDING_MAX) this.#pending.push(message)
      return
    }
    const outsider = this.#outsiderOf(body)
    if (outsider !== null) {
      return this.#convict(author, 'malformed-roster', [bytes], `${outsider} was not in the stage before`)
    }
    const few = countFault(body, { terms: this.#terms, plan: this.#plan })
    if (few !== null) return this.#convict(author, 'exposing-roster', [bytes], few)
    const peers = body.entries.map(({ peer }) => peer)
    const members = new Set(peers)
    const exposed =
      body.stage === 'unmask' ? exposedSurvivor(members, { neighbours: this.#neighbours, plan: this.#openPlan }) : null
    if (exposed !== null) {
      const detail = `It leaves ${exposed} with fewer than ${this.#openPlan.threshold} holders`
      return this.#convict(author, 'exposing-roster', [bytes, this.#rosterBytes('mask')], detail)
    }
    this.#awaited = { body, digest, peers, members, caller: author, bytes }
    this.#askForMissing()
    this.#tryOpen()
  }

  /**
   * The second roster of a stage. The same from another caller is fine. A different one is never answered: for the unmask stage it asks for
   * the other secret of somebody whose first was given. Rule [Q6].
   */
  #compareRosters(known: OpenRoster, kept: Kept<RosterBody>, digest: Uint8Array): void {
    if (sameBytes(known.digest, digest)) return
    const reason = kept.body.stage === 'unmask' ? 'both-shares-asked' : 'equivocation'
    const detail = `A different roster opened the ${kept.body.stage} stage`
    if (known.caller === kept.author) return this.#convict(kept.author, reason, [known.bytes, kept.bytes], detail)
    // Two callers may have seen different peers in time. The first roster stands.
    this.#refuse(kept.author, kept.body.stage === 'unmask' ? reason : 'wrong-roster', detail)
  }

  #outsiderOf(body: RosterBody): PeerId | null {
    const before = STAGES[STAGES.indexOf(body.stage) - 1]
    if (before === undefined) return null
    const members = this.#membersOf(before)
    return body.entries.find(({ peer }) => !members.has(peer))?.peer ?? null
  }

  #bookOf(stage: RosterStage): StatementBook<unknown> {
    return { share: this.#keys, mask: this.#shares, unmask: this.#masked }[stage]
  }

  #askForMissing(): void {
    const { body } = this.#awaited as OpenRoster
    for (const { peer, digest } of body.entries) {
      const kept = this.#bookOf(body.stage).find(peer, digest)
      if (kept === undefined) this.#effects.push({ type: 'want', what: 'statement', of: peer, digest })
      else if (body.stage === 'unmask') this.#wantValues(peer, kept.body as MaskedBody)
    }
  }

  #wantValues(peer: PeerId, { valuesHash }: MaskedBody): void {
    if (this.#values.get(peer)?.hash === valuesHash) return
    this.#effects.push({ type: 'want', what: 'values', of: peer, digest: fromHex(valuesHash) })
  }

  /** Opens the awaited stage once every statement that it names is here. */
  #tryOpen(): void {
    const roster = this.#awaited
    if (roster === null) return
    const { stage, entries } = roster.body
    const book = this.#bookOf(stage)
    if (entries.some(({ peer, digest }) => book.find(peer, digest) === undefined)) return
    this.#awaited = null
    this.#rosters.set(stage, roster)
    if (stage === 'share') this.#openShare(roster)
    else if (stage === 'mask') this.#openMask()
    else this.#openUnmask(roster)
    const pending = this.#pending
    this.#pending = []
    for (const message of pending) if (this.#outcome === null) this.#message(message)
  }

  // Share keys.

  #openShare(roster: OpenRoster): void {
    this.#plan = planGraph(roster.peers.length)
    const { degree } = this.#plan
    this.#neighbours = neighboursOf(roster.peers, { degree, session: this.session, rosterDigest: roster.digest })
    this.#announceStage(roster)
    const secrets = this.#secrets
    if (!this.#isIn('share') || secrets === null) return
    const neighbours = this.#neighboursOf(this.#self)
    const publicKeys = neighbours.map((peer) => this.#keysOf(peer).channelKey)
    this.#agree({ secret: secrets.channel, publicKeys }, (agreed) => this.#deal(neighbours, agreed))
  }

  #deal(neighbours: readonly PeerId[], agreed: readonly (Uint8Array | null)[]): void {
    const secrets = this.#secrets
    // The mask stage may have opened while keys were agreed upon, and left this peer out.
    if (secrets === null || this.#rosters.has('mask')) return
    const from = this.#keysOf(this.#self).channelKey
    this.#channels = new Map(
      neighbours.map((peer, at) => [peer, { secret: goodSecret(agreed[at]), from, to: this.#keysOf(peer).channelKey }]),
    )
    // The share stage is open.
    const roster = (this.#rosters.get('share') as OpenRoster).digest
    const { body, kept } = deal({
      session: this.session,
      roster,
      self: this.#self,
      neighbours,
      threshold: this.#openPlan.threshold,
      secrets,
      channels: this.#channels,
      random: this.#random,
    })
    this.#ownShares = kept
    this.#ownPart = 'dealt'
    this.#effects.push({ type: 'publish', content: { kind: 'secure-sum-shares', body } })
  }

  // Masked vectors.

  #openMask(): void {
    // Open, since it was just set.
    this.#announceStage(this.#rosters.get('mask') as OpenRoster)
    if (!this.#isIn('mask') || this.#ownShares === null) return
    this.#dealtToSelf.set(this.#self, this.#ownShares)
    for (const dealer of this.#neighboursOf(this.#self)) this.#openFrom(dealer)
    this.#maskInput()
  }

  #openFrom(dealer: PeerId): void {
    const shares = this.#find(this.#shares, 'mask', dealer)
    const end = this.#channels.get(dealer)
    if (shares === undefined || end === undefined) return
    try {
      const opened = openDealt({
        session: this.session,
        dealer,
        self: this.#self,
        neighbours: this.#neighboursOf(dealer),
        body: shares.body,
        channel: { secret: end.secret, from: end.to, to: end.from },
      })
      this.#dealtToSelf.set(dealer, opened)
    } catch (error) {
      if (!(error instanceof InvalidShareError)) throw error
      // Others cannot see into the box, so this is a refusal and no evidence. The sum goes on: others hold shares too.
      this.#refuse(dealer, 'invalid-share', error.message)
    }
  }

  #takeInput(values: Int32Array): void {
    this.#checkInput(values)
    this.#input = values.slice()
    this.#maskInput()
  }

  /** Rule [Q3]: a value beyond its bound is an error of this peer, said before anything leaves it. */
  #checkInput(values: Int32Array): void {
    const { length, coordinateMax } = this.#terms
    invariant(values.length === length, `the input has the ${length} values of the terms`)
    for (const value of values) {
      if (value <= coordinateMax && value >= -coordinateMax) continue
      throw new SumOverflowError(`A value of the input is ${value}, limit ${coordinateMax}`, {
        field: 'input',
        value,
        limit: coordinateMax,
      })
    }
  }

  /** Masks once, as soon as both the stage is open and the input is here. */
  #maskInput(): void {
    const roster = this.#rosters.get('mask')
    const secrets = this.#secrets
    if (roster === undefined || secrets === null || this.#isMasking || this.#rosters.has('unmask')) return
    if (!this.#isIn('mask') || this.#ownPart !== 'dealt') return
    if (this.#input === null) {
      this.#effects.push({ type: 'want-input' })
      return
    }
    this.#isMasking = true
    const partners = this.#neighboursOf(this.#self).filter((peer) => roster.members.has(peer))
    const publicKeys = partners.map((peer) => this.#keysOf(peer).maskKey)
    this.#agree({ secret: secrets.mask, publicKeys }, (agreed) => {
      const terms: MaskTerm[] = [{ seed: ownSeed(secrets.seed, this.session), sign: 1 }]
      partners.forEach((peer, at) => {
        terms.push(this.#pairTerm({ of: this.#self, peer, secret: goodSecret(agreed[at]) }))
      })
      const vectors = [this.#input as Int32Array]
      this.#work({ length: this.#terms.length, vectors, terms }, (masked) => this.#publishMasked(masked, roster))
    })
  }

  /** The mask that one peer adds for a pair: of the two, the lower peer id adds what the other subtracts. */
  #pairTerm({ of, peer, secret }: { of: PeerId; peer: PeerId; secret: Uint8Array }): MaskTerm {
    const seed = pairSeed(secret, this.session, [this.#keysOf(of).maskKey, this.#keysOf(peer).maskKey])
    return { seed, sign: of < peer ? 1 : -1 }
  }

  #publishMasked(masked: Int32Array, roster: OpenRoster): void {
    // Too late: nobody will reveal this peer's own mask, so the vector would be of no use.
    if (this.#rosters.has('unmask')) return
    this.#input = null
    this.#ownPart = 'masked'
    const bytes = valuesToBytes(masked)
    const valuesHash = sha256Hex(bytes)
    this.#values.set(this.#self, { hash: valuesHash, values: masked })
    const body: MaskedBody = { session: this.session, roster: roster.digest, length: masked.length, valuesHash }
    this.#effects.push({ type: 'publish', content: { kind: 'secure-sum-masked', body }, values: bytes })
  }

  #takeValues(of: PeerId, bytes: Uint8Array): void {
    if (bytes.length !== 4 * this.#terms.length) {
      return this.#refuse(of, 'wrong-length', `Its vector has ${bytes.length} bytes, limit ${4 * this.#terms.length}`)
    }
    const hash = sha256Hex(bytes)
    const named = this.#find(this.#masked, 'unmask', of) ?? this.#masked.sole().find(({ author }) => author === of)
    // Without a statement there is nothing to compare with yet, and nothing is kept.
    if (named?.body.valuesHash !== hash) return this.#refuse(of, 'wrong-values', `Its vector has hash ${hash}`)
    if (this.#values.get(of)?.hash === hash) return
    this.#values.set(of, { hash, values: bytesToValues(bytes) })
    this.#sumUp()
  }

  // Unmask.

  #openUnmask(roster: OpenRoster): void {
    this.#announceStage(roster)
    const dealers = new Map<PeerId, DealerFacts>()
    for (const peer of this.#membersOf('mask')) {
      dealers.set(peer, {
        neighbours: this.#neighboursOf(peer),
        keys: this.#named(this.#keys, 'share', peer),
        shares: this.#named(this.#shares, 'mask', peer),
      })
    }
    const { threshold } = this.#openPlan
    this.#unmasking = new Unmasking({ session: this.session, dealers, survivors: roster.members, threshold })
    for (const { peer, digest } of roster.body.entries) {
      const masked = this.#masked.find(peer, digest)
      if (masked !== undefined) this.#wantValues(peer, masked.body)
    }
    this.#reveal(roster, this.#unmasking)
  }

  /** Reveals, once and for one roster, one share of everybody. Rule [Q6]. */
  #reveal(roster: OpenRoster, unmasking: Unmasking): void {
    // A slow peer's input stays with it: masked or not, its own mask is never revealed.
    this.#input = null
    if (!this.#isIn('mask') || this.#ownShares === null) return
    const sides: { own: RevealedShare[]; pair: RevealedShare[] } = { own: [], pair: [] }
    for (const [dealer, shares] of [...this.#dealtToSelf].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!this.#membersOf('mask').has(dealer)) continue
      const side = unmasking.sideOf(dealer)
      sides[side].push({ of: dealer, share: shares[side] })
    }
    // The other shares are of no use to anybody any more.
    this.#dealtToSelf.clear()
    this.#ownShares = null
    this.#secrets = null
    const body: UnmaskBody = { session: this.session, roster: roster.digest, ...sides }
    this.#effects.push({ type: 'publish', content: { kind: 'secure-sum-unmask', body } })
  }

  /** Sums as soon as every secret and every vector is here. */
  #sumUp(): void {
    const roster = this.#rosters.get('unmask')
    if (roster === undefined || this.#unmasking === null || this.#isSumming) return
    const unmasked = this.#unmasking.progress()
    if (unmasked.type === 'waiting') return
    if (unmasked.type === 'inconsistent') return this.#failByDealer(unmasked.dealer, unmasked.witnesses)
    const vectors: Int32Array[] = []
    for (const { peer, digest } of roster.body.entries) {
      const kept = this.#values.get(peer)
      if (kept === undefined || kept.hash !== this.#masked.find(peer, digest)?.body.valuesHash) return
      vectors.push(kept.values)
    }
    this.#isSumming = true
    const terms: MaskTerm[] = []
    for (const seed of unmasked.seeds.values()) terms.push({ seed: ownSeed(seed, this.session), sign: -1 })
    this.#recoverPairs([...unmasked.maskSecrets], { roster, terms, vectors })
  }

  /** Takes out, one dropout after the other, the masks that survivors put in for it. */
  #recoverPairs(
    left: (readonly [PeerId, Uint8Array])[],
    of: { roster: OpenRoster; terms: MaskTerm[]; vectors: Int32Array[] },
  ): void {
    const [next, ...rest] = left
    if (next === undefined) {
      const work = { length: this.#terms.length, vectors: of.vectors, terms: of.terms }
      return this.#work(work, (sum) => this.#finish(sum, of.roster))
    }
    const [dropped, secret] = next
    const partners = this.#neighboursOf(dropped).filter((peer) => of.roster.members.has(peer))
    const publicKeys = partners.map((peer) => this.#keysOf(peer).maskKey)
    this.#agree({ secret, publicKeys }, (agreed) => {
      partners.forEach((peer, at) => {
        // The dropout's own term is the opposite of what the survivor put in, so adding it cancels that.
        of.terms.push(this.#pairTerm({ of: dropped, peer, secret: goodSecret(agreed[at]) }))
      })
      this.#recoverPairs(rest, of)
    })
  }

  #finish(values: Int32Array, roster: OpenRoster): void {
    const limit = roster.peers.length * this.#terms.coordinateMax
    const worst = values.find((value) => value > limit || value < -limit)
    if (worst !== undefined) {
      return this.#fail('sum-out-of-bounds', [], `A value of the sum is ${worst}, limit ${limit}`)
    }
    // Summed up, so every contributor's vector is here.
    const vectors = roster.peers.map((peer) => (this.#values.get(peer) as { hash: Hash }).hash)
    const commitments = roster.peers.flatMap((peer) => this.#keysOf(peer).commitment ?? [])
    this.#end('sum')
    this.#effects.push({ type: 'sum', values, contributors: roster.peers, vectors, commitments, roster: roster.digest })
  }

  // Calling.

  /** Calls a stage with everybody who came as far, as a caller. */
  #close(stage: RosterStage): void {
    invariant(this.#terms.callers.includes(this.#self), 'only a caller closes a stage')
    if (stage !== STAGES[this.#rosters.size] || this.#awaited !== null) return
    const before = STAGES[STAGES.indexOf(stage) - 1]
    const entries = this.#bookOf(stage)
      .sole()
      .filter(({ author }) => before === undefined || this.#membersOf(before).has(author))
      .filter(
        ({ author, body }) => stage !== 'unmask' || this.#values.get(author)?.hash === (body as MaskedBody).valuesHash,
      )
      .map(({ author, digest }) => ({ peer: author, digest }))
    const body: RosterBody = { session: this.session, stage, entries: this.#within(entries) }
    const few = countFault(body, { terms: this.#terms, plan: this.#plan })
    if (few !== null) return this.#fail('too-few-participants', [], few)
    this.#effects.push({ type: 'publish', content: { kind: 'secure-sum-roster', body } })
  }

  /** Keeps as many as the terms allow, by an order that nobody can choose for itself cheaply. */
  #within<Entry extends { readonly peer: PeerId }>(entries: Entry[]): Entry[] {
    const { participantsMax } = this.#terms
    if (entries.length <= participantsMax) return entries
    const rank = new Map(entries.map((entry) => [entry, sha256Hex(utf8(`${this.session}/${entry.peer}`))]))
    const chosen = [...entries].sort((a, b) => ((rank.get(a) as Hash) < (rank.get(b) as Hash) ? -1 : 1))
    return chosen.slice(0, participantsMax).sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  // Ends.

  #expire(): void {
    const unmasked = this.#unmasking?.progress()
    if (unmasked?.type !== 'waiting') return this.#fail('out-of-time', [], 'The last deadline passed before the sum')
    const silent = this.#silentHolders()
    const detail = `${unmasked.missing.length} secrets have fewer than ${this.#openPlan.threshold} shares`
    this.#fail('too-few-shares', silent, detail)
  }

  #silentHolders(): PeerId[] {
    const heard = new Set(this.#revealed.sole().map(({ author }) => author))
    return [...this.#membersOf('mask')].filter((peer) => !heard.has(peer))
  }

  #failByDealer(dealer: PeerId, witnesses: readonly PeerId[]): void {
    const answers = this.#revealed.sole().filter(({ author }) => witnesses.includes(author))
    const dealt = this.#named(this.#shares, 'mask', dealer)
    const keys = this.#named(this.#keys, 'share', dealer)
    const statements = [keys.bytes, dealt.bytes, ...answers.map(({ bytes }) => bytes)]
    this.#effects.push({ type: 'evidence', against: dealer, reason: 'inconsistent-dealer', statements })
    this.#fail('inconsistent-dealer', [dealer], `The shares of ${dealer} give another secret than it announced`)
  }

  #fail(reason: FailureReason, culprits: readonly PeerId[], detail: string): void {
    this.#end('failed')
    this.#effects.push({ type: 'failed', reason, culprits, detail })
  }

  #end(outcome: 'sum' | 'failed'): void {
    this.#outcome = outcome
    this.#secrets = null
    this.#ownShares = null
    this.#input = null
    this.#dealtToSelf.clear()
    this.#values.clear()
    this.#answers.clear()
    this.#pending = []
  }

  #refuse(from: PeerId, reason: RefusalReason, detail: string): void {
    this.#effects.push({ type: 'refused', from, reason, detail })
  }

  #convict(against: PeerId, reason: RefusalReason, statements: readonly Uint8Array[], detail: string): void {
    this.#refuse(against, reason, detail)
    this.#effects.push({ type: 'evidence', against, reason, statements })
  }

  // Asking and looking up.

  #agree(request: AgreeRequest, then: (secrets: readonly (Uint8Array | null)[]) => void): void {
    const id = ++this.#lastId
    this.#answers.set(id, (answer) => {
      invariant(Array.isArray(answer) && answer.length === request.publicKeys.length, 'one secret for each key')
      then(answer)
    })
    this.#effects.push({ type: 'agree', id, request })
  }

  #work(work: SumWork, then: (values: Int32Array) => void): void {
    const id = ++this.#lastId
    this.#answers.set(id, (answer) => {
      invariant(answer instanceof Int32Array && answer.length === work.length, 'a vector of the length asked for')
      then(answer)
    })
    this.#effects.push({ type: 'work', id, work })
  }

  #answer(id: number, answer: readonly (Uint8Array | null)[] | Int32Array): void {
    const then = this.#answers.get(id)
    this.#answers.delete(id)
    then?.(answer)
  }

  #announceStage({ body, peers }: OpenRoster): void {
    this.#effects.push({ type: 'stage', stage: body.stage, peers, threshold: this.#openPlan.threshold })
  }

  get #openPlan(): GraphPlan {
    invariant(this.#plan !== null, 'the share stage is open')
    return this.#plan
  }

  #isIn(stage: RosterStage): boolean {
    return this.#ownPart !== 'watching' && this.#membersOf(stage).has(this.#self)
  }

  #membersOf(stage: RosterStage): ReadonlySet<PeerId> {
    return this.#rosters.get(stage)?.members ?? new Set()
  }

  #rosterBytes(stage: RosterStage): Uint8Array {
    return this.#rosters.get(stage)?.bytes ?? sha256Bytes(new Uint8Array())
  }

  #neighboursOf(peer: PeerId): readonly PeerId[] {
    return this.#neighbours.get(peer) ?? []
  }

  /** The statement of a peer that the roster of a stage names, if the stage is open and the peer in it. */
  #find<Body>(book: StatementBook<Body>, stage: RosterStage, peer: PeerId): Kept<Body> | undefined {
    const entry = this.#rosters.get(stage)?.body.entries.find((named) => named.peer === peer)
    return entry === undefined ? undefined : book.find(peer, entry.digest)
  }

  #named<Body>(book: StatementBook<Body>, stage: RosterStage, peer: PeerId): Kept<Body> {
    const kept = this.#find(book, stage, peer)
    invariant(kept !== undefined, 'an open roster has every statement that it names')
    return kept
  }

  #keysOf(peer: PeerId): KeysBody {
    return this.#named(this.#keys, 'share', peer).body
  }
}

/** Keys of low order were refused when they were announced, so every agreement succeeds. */
function goodSecret(secret: Uint8Array | null | undefined): Uint8Array {
  invariant(secret !== null && secret !== undefined, 'announced keys are not of low order')
  return secret
}
