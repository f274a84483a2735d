/** Bounds of the network layer. Each has its unit in its name and its reason beside it; docs/LIMITS.md lists them. */

/** Chromium refuses the 501st RTCPeerConnection of a tab, closed ones counted until collected (js-libp2p#2591). */
export const RTC_PEER_CONNECTIONS_MAX = 480

/** The same where the browser has no limit; a tab that gets here has a fault. */
export const RTC_PEER_CONNECTIONS_UNLIMITED_MAX = 10_000

/** One message of `send`; a result of a unit may be this large, anything larger is a block. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024

/** What waits for one peer on one protocol; four of the largest messages. */
export const QUEUE_BYTES_MAX = 16 * 1024 * 1024

/** Messages that wait for one peer on one protocol; small ones are bounded by number, not by bytes. */
export const QUEUE_MESSAGES_MAX = 8_192

/** One gossip message: announcements only. gossipsub itself fails opaquely above 4 MiB (js-libp2p#3427). */
export const GOSSIP_BYTES_MAX = 64 * 1024

/** How soon a connected peer to which there is no gossip stream is tried again. */
export const GOSSIP_STREAM_RETRY_MS = 3_000

/** A block; WebAssembly modules and inputs are well below it. */
export const BLOCK_BYTES_MAX = 256 * 1024 * 1024

/** Messages a peer may send on one protocol in a second, sustained; a requester of tiny units sends a few hundred. */
export const MESSAGES_PER_SECOND_MAX = 2_000

/** Messages a peer may send at once after a quiet time. */
export const MESSAGES_BURST_MAX = 8_000

/** Fetches a peer may have open with us at once. */
export const BLOCK_REQUESTS_PER_PEER_MAX = 8

/** Connections of one host: the degree of the mesh, its relays, and inbound links above the target. */
export const CONNECTIONS_MAX = 128

/** Connections of the relay's host. */
export const RELAY_CONNECTIONS_MAX = 4_000

/** A handshake on loopback or one continent takes well under a second; behind one NAT many come at once. */
export const INBOUND_PENDING_MAX = 100

/** libp2p's default is 5 per second and host; behind one relay or on loopback that is everyone. */
export const INBOUND_PER_SECOND_MAX = 500

/**
 * Dialling one address. A WebRTC dial on loopback takes 0.3 s, and 3 s on a machine with ten times the work it can do;
 * whoever is gone is refused by the relay at once, so a long wait costs nothing there.
 */
export const ADDRESS_DIAL_TIMEOUT_MS = 12_000

/** Dialling one peer, all addresses. */
export const DIAL_TIMEOUT_MS = 15_000

/** How often each direct link is asked whether it lives. */
export const KEEPALIVE_INTERVAL_MS = 2_000

/** An answer that has not come by now means the peer is gone: with the interval, noticed within 8.5 s. */
export const KEEPALIVE_TIMEOUT_MS = 6_000

/** Relays are on a socket whose end the system reports; only a network that swallows everything is found by asking. */
export const KEEPALIVE_RELAY_TIMEOUT_MS = 20_000

/** Opening a stream to a connected peer. */
export const STREAM_OPEN_TIMEOUT_MS = 10_000

/** Reservations of one relay; libp2p's default is 15. */
export const RELAY_RESERVATIONS_MAX = 2_000

/** Bytes over one relayed circuit; libp2p's default is 128 KiB. Enough for jobs while a direct link is impossible. */
export const RELAY_CIRCUIT_BYTES_MAX = 32 * 1024 * 1024

/** Life of one relayed circuit; libp2p's default is 2 min. */
export const RELAY_CIRCUIT_DURATION_MS = 30 * 60 * 1000

/** Life of a reservation; renewed five minutes before its end. */
export const RELAY_RESERVATION_TTL_MS = 60 * 60 * 1000

/** Streams of circuits that one relay keeps open at once; two for each relayed circuit. */
export const RELAY_STREAMS_MAX = 4_000

/** Queued messages travel together up to this size: fewer, larger writes, and a queue that stays short. */
export const MESSAGE_BATCH_BYTES = 256 * 1024

/** Tries to open a stream to a connected peer: at once, at once again, then after pauses. */
export const STREAM_OPEN_ATTEMPTS = 4

/** Pause between the later tries. */
export const STREAM_OPEN_RETRY_MS = 500

/** A peer that takes no byte for this long is not reading; its stream is given up. */
export const STREAM_STALL_TIMEOUT_MS = 30_000

/** Closing a stream gracefully, before it is cut. */
export const STREAM_CLOSE_TIMEOUT_MS = 10_000

/**
 * A stream that moves to a better connection waits this long until the old one has been read to its end. What asks whether the
 * peer lives waits with it, and must not come too late.
 */
export const STREAM_LEAVE_TIMEOUT_MS = 3_000

/** A link over a relay is asked this often: its bytes are counted by the relay. */
export const KEEPALIVE_RELAYED_INTERVAL_MS = 15_000

/** A peer whose streams have ended, or that was asked right after we slept, has this long to answer. */
export const KEEPALIVE_SUSPECT_TIMEOUT_MS = 2_500

/** Two direct connections to one peer are both kept this long, so that both sides see both before one is closed. */
export const DUPLICATE_GRACE_MS = 1_500

/** A connection beside a better one stays until nothing is on its way over it, and no longer than this. */
export const SPARE_CONNECTION_MS = 30_000

/** A relayed connection is kept this long beside a direct one: the signalling that made it may still end on it. */
export const SIGNALLING_GRACE_MS = 5_000

/** Over how long a rate is measured. */
export const RATE_WINDOW_MS = 2_000

/** Announcements in one answer to "whom do you know". */
export const EXCHANGE_PEERS_MAX = 32

/** Asking and answering whom one knows, all of it. */
export const EXCHANGE_TIMEOUT_MS = 5_000

/** Announcements that a relay keeps for tabs that join; about 1 KiB each. */
export const RELAY_ANNOUNCEMENTS_MAX = 2_000

/** How often the upkeep looks at its timers. */
export const TICK_INTERVAL_MS = 250

/** A tick that comes this late means that the machine slept or the tab was frozen. */
export const SLEEP_GAP_MS = 8_000

/** Asking a page for its relays. */
export const WELL_KNOWN_TIMEOUT_MS = 5_000

/** The answer of a page that lists relays; a policy of a thousand members is the large part of it. */
export const WELL_KNOWN_BYTES_MAX = 256 * 1024

/** A page is asked again for its relays after this while none of them answers. */
export const WELL_KNOWN_RETRY_MS = 3_000

/** No byte of a block for this long: the rest is fetched from another peer. */
export const BLOCK_STALL_TIMEOUT_MS = 12_000

/** Written to a stream at once; the stream cuts it into messages itself. */
export const BLOCK_WRITE_BYTES = 256 * 1024

/**
 * One message on a WebRTC data channel between peers. libp2p's default of 16 KiB is for go and rust; browsers and
 * libdatachannel take 256 KiB. Measured for a block against a bare channel: 16 KiB 0.79, 64 KiB 0.91, 128 KiB 0.97.
 * Larger ones keep other streams of the link waiting: this one for 8 ms at 16 MB/s.
 */
export const CHANNEL_MESSAGE_BYTES = 128 * 1024

/** A peer says in the DHT that it is there this often, and its record is good for a little longer than twice that. */
export const DHT_PROVIDE_INTERVAL_MS = 2 * 60 * 1000
export const DHT_RECORD_TTL_MS = 5 * 60 * 1000

/** One query of the DHT, whose servers are relays that we are connected to. */
export const DHT_QUERY_TIMEOUT_MS = 10_000

/** Peers taken from one query. */
export const DHT_PROVIDERS_MAX = 64

/** Asking the DHT while we look for peers; gossip and exchange are faster. */
export const DHT_FIND_INTERVAL_MS = 15_000

/** New announcements verified in a second, sustained: a thousand peers that announce twice a minute are 33. */
export const ANNOUNCEMENTS_PER_SECOND_MAX = 50

/** New announcements verified at once. */
export const ANNOUNCEMENTS_BURST_MAX = 500

/** A stream on which a block came is kept this long for the next: opening one costs several round trips. */
export const BLOCK_STREAM_IDLE_MS = 20_000

/** Streams kept for each peer; as many blocks as are usually fetched from one at once. */
export const BLOCK_STREAMS_IDLE_MAX = 2

/** Between two looks for the address of a link that the browser does not say yet, and how often after the first. */
export const ADDRESS_RETRY_MS = 1_000
export const ADDRESS_TRIES_MAX = 4
