import type { RelayInfo } from '../../../node/contract.ts'
import { duration } from '../../format/number.ts'
import { RelativeTime } from '../../parts/time.tsx'

const STATE_WORDS: Readonly<Record<RelayInfo['state'], string>> = {
  connecting: 'Connecting',
  connected: 'Connected, asking for a place',
  reserved: 'Holds a place for this peer',
  full: 'Full, trying the next',
  unreachable: 'Does not answer, trying again',
}

/** The relays this peer knows and what each does for it. */
export function RelaysTable({ relays }: { readonly relays: readonly RelayInfo[] }) {
  if (relays.length === 0) {
    return (
      <p className="quiet small">
        None is known. The relay that serves this page is asked first; it did not answer yet.
      </p>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className="table-scroll" tabIndex={0} aria-label="Table of relays">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">State</th>
            <th scope="col">Place held</th>
            <th scope="col" className="number">
              Round trip
            </th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          {relays.map((relay) => (
            <tr key={relay.multiaddr}>
              <td>
                <span className="mono relay-address truncate" title={relay.multiaddr}>
                  {relay.multiaddr}
                </span>
              </td>
              <td>{STATE_WORDS[relay.state]}</td>
              <td>
                {relay.reservationExpiresAt === null ? (
                  'no'
                ) : (
                  <>
                    until <RelativeTime at={relay.reservationExpiresAt} />
                  </>
                )}
              </td>
              <td className="number">{relay.rttMs === null ? '–' : duration(relay.rttMs)}</td>
              <td>{relay.lastError ?? <span className="quiet">none</span>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
