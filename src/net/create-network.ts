import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { Diversity } from '../core/admission/diversity.ts'
import { type ClockEstimate, ClockOffset, type ClockSample } from '../core/identity/clock-offset.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import { DEGREE_MAX, TARGET_DEGREE } from '../core/routing/limits.ts'
import type { LinkPath } from '../core/routing/mesh.ts'
import { peerOf, transportOf } from './addresses.ts'
import { BLOCKS_PROTOCOL, Blocks } from './blocks.ts'
import { LIBP2P_VERIFIER, PEERS_PROTOCOL } from './discovery.ts'
import { DiversityGuard } from './diversity-guard.ts'
import { Emitter } from './emitter.ts'
import { NetworkStoppedError, PeerUnreachableError } from './errors.ts'
import { createHost, type Host } from './host.ts'
import { Keepalive, LINK_PROTOCOL } from './keepalive.ts'
import { BLOCK_REQUESTS_PER_PEER_MAX, SLEEP_GAP_MS, STREAM_OPEN_TIMEOUT_MS, TICK_INTERVAL_MS } from './limits.ts'
import { Links } from './links.ts'
import { silentLogger } from './logging.ts'
import { MeshUpkeep } from './mesh-upkeep.ts'
import { Messages } from './messages.ts'
import type {
  FetchOptions,
  MetricSample,
  Network,
  NetworkEvents,
  NetworkInit,
  NetworkLogger,
  NetworkProblem,
  NetworkStatus,
  PeerConnection,
  RtcBudget,
} from './network.ts'
import { networkSamples } from './network-metrics.ts'
import { PeerFinder } from './peer-finder.ts'
import { RelayUpkeep } from './relay-upkeep.ts'
import { provideRtc } from './rtc/globals.ts'
import { guardNodeDialRace, nativeBudget } from './rtc/native.ts'
import { summarise } from './status.ts'
import { type TopicHandler, Topics } from './topics.ts'

/** Makes a network; nothing happens before `start`. */
export function createNetwork(init: NetworkInit): Network {
  return new StarlingNetwork(init)
}

/** What exists only while the host runs. */
interface Running {
  readonly host: Host
  readonly links: Links
  readonly relays: RelayUpkeep
  readonly mesh: MeshUpkeep
  readonly timer: ReturnType<typeof setInterval>
}

class StarlingNetwork implements Network {
  readonly peerId: string
  readonly #init: NetworkInit
  readonly #logger: NetworkLogger
  readonly #now: () => number
  readonly #emitter: Emitter<NetworkEvents>
  readonly #messages: Messages
  readonly #blocks: Blocks
  readonly #keepalive: Keepalive
  readonly #topics: Topics
  readonly #finder: PeerFinder
  readonly #diversity: DiversityGuard | null
  readonly #clock = new ClockOffset()
  #isKeptOut: (peer: string) => boolean = () => false
  #isAdmitted: (peer: string) => boolean = () => true
  /** Of the streams that we opened. */
  readonly #connectionOf = new WeakMap<Stream, Connection>()
  readonly #handlers = new Map<string, (peer: string, message: Uint8Array) => void>()
  #running: Running | undefined
  #starting: Promise<void> | undefined
  #online = true
  #wasReserved = false
  #lastTickAt = 0
  #wokeAt = Number.NEGATIVE_INFINITY
  #problems = 0
  #state: Pick<NetworkStatus, 'state' | 'reason' | 'since'>

  constructor(init: NetworkInit) {
    this.#init = init
    this.peerId = peerIdOf(init.identity.publicKey)
    this.#logger = init.logger ?? silentLogger
    const clock = init.clock ?? { now: () => Date.now() }
    this.#now = () => clock.now()
    this.#state = { state: 'stopped', reason: 'not-started', since: this.#now() }
    this.#emitter = new Emitter((error) =>
      this.#logger.log('error', 'a listener of the network threw', { message: String(error) }),
    )
    const streams = {
      open: (peer: string, protocol: string) => this.#open(peer, protocol),
      onProblem: (problem: NetworkProblem) => this.#problem(problem),
      onBytes: (peer: string, direction: 'in' | 'out', bytes: number) => {
        this.#running?.links.count(direction, peer, bytes)
        if (direction === 'in') this.#keepalive.heard(peer)
      },
    }
    this.#messages = new Messages({
      ...streams,
      now: this.#now,
      onStreamLost: (peer, stream) => {
        const connection = this.#connectionOf.get(stream)
        if (connection !== undefined) this.#running?.links.doubt(connection)
        this.#keepalive.suspect(peer)
      },
    })
    this.#blocks = new Blocks({
      ...streams,
      isBest: (peer, stream) => this.#connectionOf.get(stream) === this.#running?.links.best(peer),
    })
    this.#keepalive = new Keepalive({
      network: init.networkId,
      relay: false,
      now: this.#now,
      send: (peer, message) => this.#messages.send(peer, LINK_PROTOCOL, message),
      onAnswer: (peer, { rttMs, clockOffsetMs }) => {
        this.#running?.links.answered(peer, { rttMs })
        this.#sampleClock(peer, { offsetMs: clockOffsetMs, roundTripMs: rttMs })
      },
      onStranger: (peer) => this.#stranger(peer),
      // Over a connection made since, it has not been asked.
      onDead: (peer, askedAt) => this.#drop(peer, 'The peer does not answer', askedAt),
    })
    this.#topics = new Topics({
      self: this.peerId,
      isKeptOut: (peer) => this.#isKeptOut(peer),
      onProblem: streams.onProblem,
    })
    this.#finder = new PeerFinder({
      ...streams,
      networkId: init.networkId,
      identity: init.identity,
      now: this.#now,
      networkTime: () => {
        const { state, offsetMs } = this.#clockNow()
        return { nowMs: this.#now() + offsetMs, isKnown: state === 'good' }
      },
      verifier: init.verifier ?? LIBP2P_VERIFIER,
      logger: this.#logger,
      topics: this.#topics,
      onHeard: (heard) => this.#running?.mesh.step({ type: 'heard', ...heard }),
      isKnown: (peer) => this.#running?.mesh.mesh.knows(peer) ?? false,
    })
    this.#diversity =
      init.diversity === undefined
        ? null
        : new DiversityGuard({
            diversity: new Diversity(init.diversity),
            connectionOf: (peer) => this.#running?.links.best(peer),
            onFull: (peer, { name, message }) => {
              this.#problem({ name, message, peer })
              this.#drop(peer, message)
            },
          })
    this.#handlers.set(LINK_PROTOCOL, (peer, message) => this.#keepalive.receive(peer, message))
  }

  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { environment, rtc, dialRaceGuard } = this.#init
    if (environment === 'browser-worker') provideRtc(rtc)
    else if (dialRaceGuard !== false) await guardNodeDialRace()
    const host = await createHost({
      identity: this.#init.identity,
      environment,
      listen: this.#init.listen ?? [],
      iceServers: this.#init.iceServers ?? [],
      agent: this.#init.agent ?? 'starling',
      logger: this.#logger,
      isKeptOut: (peer) => this.#isKeptOut(peer),
    })
    const { node } = host
    const relays = new RelayUpkeep({
      node,
      circuits: host.circuits,
      relays: this.#init.relays,
      networkId: this.#init.networkId,
      now: this.#now,
      logger: this.#logger,
      onChange: () => this.#relaysChanged(),
    })
    const links = new Links({
      node,
      now: this.#now,
      isRelay: (peer) => relays.isRelay(peer),
      onChange: (peer, { before, path }) => this.#linkChanged(peer, before, path),
      onMove: (peer) => {
        this.#messages.rebind(peer)
        this.#blocks.forget(peer)
      },
      isBusy: (connection) => this.#isBusy(connection),
    })
    const mesh = new MeshUpkeep({
      node,
      targetDegree: this.#init.targetDegree ?? TARGET_DEGREE,
      degreeMax: this.#init.degreeMax ?? DEGREE_MAX,
      now: this.#now,
      logger: this.#logger,
      connectedRelays: () => relays.connectedRelays(),
      circuitBases: () => relays.circuitBases(),
      announce: (seeking) => this.#finder.announce(this.multiaddrs(), seeking),
      exchange: () => this.#exchange(),
      drop: (peer) => this.#drop(peer, 'More links than the maximum'),
      onDialFailed: (peer, error) => links.failed(peer, error.message),
    })
    this.#lastTickAt = this.#now()
    const timer = setInterval(() => this.#tick(), TICK_INTERVAL_MS)
    this.#running = { host, links, relays, mesh, timer }
    node.addEventListener('self:peer:update', () => {
      this.#finder.readdressed()
      mesh.step({ type: 'readdressed' })
    })
    this.#topics.attach(node.services.pubsub)
    this.#finder.attach(node.services.inner.components)
    for (const protocol of this.#handlers.keys()) await this.#register(protocol)
    await this.#registerServices(host)
    this.#tick()
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = undefined
    this.#starting = undefined
    if (running === undefined) return
    clearInterval(running.timer)
    running.mesh.stop()
    running.relays.stop()
    this.#messages.stop()
    this.#blocks.stop()
    this.#topics.detach()
    await this.#finder.detach()
    await running.host.node.stop()
    this.#init.rtc?.stop()
    this.#updateStatus()
  }

  multiaddrs(): string[] {
    return this.#running?.host.node.getMultiaddrs().map((address) => address.toString()) ?? []
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    this.#required()
    await this.#topics.publish(topic, data)
  }

  subscribe(topic: string, handler: TopicHandler): () => void {
    return this.#topics.subscribe(topic, handler)
  }

  send(peer: string, protocol: string, message: Uint8Array): void {
    this.#required()
    this.#messages.send(peer, protocol, message)
  }

  handle(protocol: string, handler: (peer: string, message: Uint8Array) => void): () => void {
    this.#handlers.set(protocol, handler)
    if (this.#running !== undefined) void this.#register(protocol)
    return () => {
      if (this.#handlers.get(protocol) !== handler) return
      this.#handlers.delete(protocol)
      void this.#running?.host.node.unhandle(protocol)
    }
  }

  async fetchBlock(cid: string, from: readonly string[], options: FetchOptions): Promise<Uint8Array> {
    this.#required()
    return this.#blocks.fetch(cid, from, options)
  }

  serveBlocks(source: (cid: string) => Promise<Uint8Array | undefined>): () => void {
    return this.#blocks.serve(source)
  }

  connections(): PeerConnection[] {
    return this.#running?.links.view() ?? []
  }

  status(): NetworkStatus {
    const running = this.#running
    const mesh = running?.mesh.mesh
    const clock = this.#clockNow()
    const direct = mesh?.direct ?? 0
    const relayed = mesh?.relayed ?? 0
    return {
      ...this.#state,
      peers: direct + relayed,
      direct,
      relayed,
      targetDegree: this.#init.targetDegree ?? TARGET_DEGREE,
      known: mesh?.known ?? 0,
      relays: running?.relays.view() ?? [],
      rtc: this.#budget(),
      dials: running === undefined ? NO_DIALS : { ...running.mesh.dials },
      gossip: this.#topics.meshSizes(),
      ...(clock.medianMs === null ? {} : { clockOffsetMs: clock.medianMs }),
      ...(clock.state === 'implausible' ? { clockImplausible: true } : {}),
    }
  }

  clockCorrectionMs(): number {
    return this.#clockNow().offsetMs
  }

  on<K extends keyof NetworkEvents>(event: K, listener: (detail: NetworkEvents[K]) => void): () => void {
    return this.#emitter.on(event, listener)
  }

  async dial(addressOrPeer: string): Promise<void> {
    const { mesh, host } = this.#required()
    if (!addressOrPeer.startsWith('/')) return mesh.reach(addressOrPeer)
    const peer = peerOf(addressOrPeer)
    if (peer === undefined || transportOf(addressOrPeer) === 'circuit') {
      await host.node.dial(multiaddr(addressOrPeer), { signal: AbortSignal.timeout(STREAM_OPEN_TIMEOUT_MS) })
      return
    }
    await mesh.dial(peer, [addressOrPeer], 'direct')
  }

  keepOut(isKeptOut: (peer: string) => boolean): void {
    this.#isKeptOut = isKeptOut
  }

  believeClocks(isAdmitted: (peer: string) => boolean): void {
    this.#isAdmitted = isAdmitted
  }

  disconnect(peer: string): void {
    this.#drop(peer, 'Disconnected on request')
  }

  hint(event: 'online' | 'offline' | 'visible'): void {
    const running = this.#running
    if (running === undefined) return
    if (event === 'visible') {
      this.#keepalive.woke()
      return
    }
    this.#online = event === 'online'
    if (this.#online) this.#woke(running)
    else running.relays.offline()
    this.#updateStatus()
  }

  metrics(): MetricSample[] {
    return networkSamples({
      status: this.status(),
      connections: this.connections(),
      messages: this.#messages.counters,
      blocks: this.#blocks.counters,
      problems: this.#problems,
    })
  }

  #required(): Running {
    if (this.#running === undefined) throw new NetworkStoppedError('The network is not started')
    return this.#running
  }

  #budget(): RtcBudget {
    return this.#init.rtc?.budget() ?? nativeBudget(this.#running?.mesh.mesh.direct ?? 0)
  }

  async #open(peer: string, protocol: string): Promise<Stream> {
    const { links, mesh } = this.#required()
    if (links.best(peer) === undefined) await mesh.reach(peer)
    const timeout = AbortSignal.timeout(STREAM_OPEN_TIMEOUT_MS)
    for (let connection = links.best(peer); connection !== undefined; ) {
      const moved = links.moved(peer)
      const signal = moved === undefined ? timeout : AbortSignal.any([timeout, moved])
      try {
        const stream = await connection.newStream(protocol, { signal, runOnLimitedConnection: true })
        this.#connectionOf.set(stream, connection)
        if (links.best(peer) === connection) return stream
        stream.abort(new PeerUnreachableError('Another connection is better'))
      } catch (error) {
        if (links.best(peer) === connection || timeout.aborted) throw error
      }
      // Who is at the other end of a connection that is gone says nothing; one that came meanwhile will.
      connection = links.best(peer)
    }
    throw new PeerUnreachableError('The peer is not connected')
  }

  /** Gossip and what libp2p asks by itself go on elsewhere; a stream without a protocol is being opened. */
  #isBusy({ streams }: Connection): boolean {
    return streams.some(
      ({ protocol }) => protocol === '' || protocol === BLOCKS_PROTOCOL || this.#handlers.has(protocol),
    )
  }

  async #register(protocol: string): Promise<void> {
    const receive = (stream: Stream, connection: Connection) => {
      const peer = connection.remotePeer.toString()
      this.#messages.receive(peer, stream, (from, message) => this.#handlers.get(protocol)?.(from, message))
    }
    await this.#running?.host.node.handle(protocol, receive, { ...STREAM_LIMITS, force: true })
  }

  async #registerServices({ node }: Host): Promise<void> {
    const options = { ...STREAM_LIMITS, maxInboundStreams: BLOCK_REQUESTS_PER_PEER_MAX + 1 }
    await node.handle(
      BLOCKS_PROTOCOL,
      (stream, connection) => this.#blocks.receive(connection.remotePeer.toString(), stream),
      options,
    )
    await node.handle(PEERS_PROTOCOL, (stream) => this.#finder.answer(stream), STREAM_LIMITS)
  }

  #exchange(): void {
    const running = this.#running
    if (running === undefined) return
    const others = running.links.peers().filter((peer) => !running.relays.isRelay(peer))
    this.#finder.exchange({ relays: [...running.relays.connectedRelays()], others })
  }

  #linkChanged(peer: string, before: LinkPath | undefined, path: LinkPath | undefined): void {
    const running = this.#running
    if (running === undefined) return
    const relay = running.relays.isRelay(peer)
    if (path === undefined) {
      this.#keepalive.unlinked(peer)
      this.#clock.forget(peer)
      this.#messages.forget(peer)
      this.#blocks.forget(peer)
      this.#finder.forget(peer)
      this.#diversity?.unlinked(peer)
      if (!relay) running.mesh.step({ type: 'unlinked', peer })
      this.#emitter.emit('peer:disconnect', { peer })
    } else {
      this.#keepalive.linked(peer)
      if (!relay) {
        running.mesh.step({ type: 'linked', peer, path })
        void this.#diversity?.linked(peer)
      }
      this.#emitter.emit(before === undefined ? 'peer:connect' : 'peer:path', { peer, path })
    }
    this.#updateStatus()
  }

  #relaysChanged(): void {
    const running = this.#running
    if (running === undefined) return
    if (running.relays.reserved > 0) this.#wasReserved = true
    this.#updateAbility(running)
    this.#updateStatus()
  }

  #updateAbility({ mesh, relays }: Running): void {
    const { used, limit } = this.#budget()
    const reachable = relays.connected > 0 || relays.configured === 0
    mesh.step({ type: 'able', able: this.#online && reachable && used < limit })
  }

  #tick(): void {
    const running = this.#running
    if (running === undefined) return
    const now = this.#now()
    const gapMs = now - this.#lastTickAt
    this.#lastTickAt = now
    if (gapMs > SLEEP_GAP_MS || gapMs < -SLEEP_GAP_MS) this.#woke(running)
    this.#updateAbility(running)
    running.relays.tick()
    running.mesh.step({ type: 'tick' })
    this.#keepalive.tick({
      lagMs: Math.max(0, gapMs - TICK_INTERVAL_MS),
      isRelayed: (peer) => running.links.path(peer) === 'relayed',
      isRelay: (peer) => running.relays.isRelay(peer),
    })
    running.links.tidy()
    this.#updateStatus()
  }

  #woke(running: Running): void {
    this.#wokeAt = this.#now()
    this.#keepalive.woke()
    running.relays.online()
    running.mesh.step({ type: 'woke' })
  }

  #drop(peer: string, reason: string, since?: number): void {
    this.#running?.links.drop(peer, new PeerUnreachableError(reason), since)
    this.#finder.forget(peer)
  }

  #clockNow(): ClockEstimate {
    return this.#clock.estimate(this.#now(), this.#isAdmitted)
  }

  #sampleClock(peer: string, sample: ClockSample): void {
    const before = this.#clockNow().state
    this.#clock.sample(peer, sample, this.#now())
    const { state, medianMs } = this.#clockNow()
    if (state !== 'implausible' || before === 'implausible') return
    const minutes = Math.round((medianMs ?? 0) / 60_000)
    const message = `Most peers' clocks are ${minutes} min off this device's, more than is corrected`
    this.#problem({ name: 'ClockImplausibleError', message })
  }

  #stranger(peer: string): void {
    this.#finder.addStranger(peer)
    this.#problem({ name: 'ForeignNetworkError', message: 'The peer belongs to another network', peer })
    this.#drop(peer, 'The peer belongs to another network')
  }

  #problem(problem: NetworkProblem): void {
    this.#problems++
    if (problem.peer !== undefined) this.#running?.links.failed(problem.peer, problem.message)
    const { evidence: _, ...details } = problem
    this.#logger.log('debug', problem.message, details)
    this.#emitter.emit('error', problem)
  }

  #updateStatus(): void {
    const running = this.#running
    const mesh = running?.mesh.mesh
    const { used, limit } = this.#budget()
    const next = summarise({
      started: running !== undefined,
      online: this.#online,
      waking: this.#now() - this.#wokeAt < SLEEP_GAP_MS,
      relaysConfigured: running?.relays.configured ?? 0,
      relaysConnected: running?.relays.connected ?? 0,
      relaysReserved: running?.relays.reserved ?? 0,
      relayFull: running?.relays.view().some((relay) => relay.state === 'full') ?? false,
      wasReserved: this.#wasReserved,
      direct: mesh?.direct ?? 0,
      relayed: mesh?.relayed ?? 0,
      known: mesh?.known ?? 0,
      targetDegree: this.#init.targetDegree ?? TARGET_DEGREE,
      dialsFailing: mesh?.failing ?? false,
      rtcBudgetLeft: used < limit,
    })
    if (next.state === this.#state.state && next.reason === this.#state.reason) return
    const since = next.state === this.#state.state ? this.#state.since : this.#now()
    this.#state = { ...next, since }
    this.#emitter.emit('status', this.status())
  }
}

const NO_DIALS = { started: 0, succeeded: 0, failed: 0, firstTrySucceeded: 0, inFlight: 0 }

/** One stream for each peer, and room for one that takes over from it. */
const STREAM_LIMITS = { maxInboundStreams: 4, maxOutboundStreams: 16, runOnLimitedConnection: true } as const
