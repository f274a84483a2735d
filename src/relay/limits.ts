/** Bounds of the relay's HTTP side. What the libp2p side allows is in `src/net/limits.ts`. */

/** TCP connections at once, pages and WebSockets together: some hundreds of tabs, each with one WebSocket and a few short requests. */
export const CONNECTIONS_MAX = 4096

/** WebSockets at once; leaves a quarter of the connections for people who open the page. */
export const UPGRADES_MAX = 3072

/** Request line and headers of one request. A browser sends 1 to 2 KiB; Node's own default is 16 KiB. */
export const HEADER_BYTES_MAX = 8 * 1024

/** Longest path and query that is looked at. */
export const URL_LENGTH_MAX = 1024

/** A connection that says nothing at all is closed after this long; TLS clients and HTTP clients speak first. */
export const FIRST_BYTE_TIMEOUT_MS = 10_000

/** For the whole of a request's headers: what stops a client that sends one byte a second. */
export const HEADERS_TIMEOUT_MS = 10_000

/** For a whole request; none has a body that is read. */
export const REQUEST_TIMEOUT_MS = 20_000

/** An idle connection kept for the next request of the same page. */
export const KEEP_ALIVE_TIMEOUT_MS = 10_000

export const TLS_HANDSHAKE_TIMEOUT_MS = 10_000

/** Silence after which the kernel asks whether the other end of a WebSocket is still there. */
export const UPGRADE_KEEP_ALIVE_MS = 30_000

/** How often requests that take too long are looked for; the timeouts above are held to about this. */
export const TIMEOUT_CHECK_INTERVAL_MS = 2_000

/** The built page is held in memory, once as it is and twice compressed; about 5 MiB today. */
export const PAGE_BYTES_MAX = 128 * 1024 * 1024
export const PAGE_FILES_MAX = 2_000

/** Ports tried, one after the other, when the wanted one is taken. */
export const PORT_TRIES_MAX = 20

/** Between asking connections to end and ending them. */
export const STOP_GRACE_MS = 2_000

/** Self-signed certificates are accepted by browsers for at most 398 days; renewed well before. */
export const CERTIFICATE_DAYS = 365
export const CERTIFICATE_RENEW_DAYS = 30
