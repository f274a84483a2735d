import type { LearningTaskDetail } from '../../../node/learning-contract.ts'
import { plural } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { rejectionWords } from './words.ts'

const SHOWN = 30

/** Updates that did not go into the model, and why; newest first. */
export function RejectionsPanel({ task }: { readonly task: LearningTaskDetail }) {
  const { rejections, contributions } = task
  const newest = rejections.slice(-SHOWN).reverse()
  const self = contributions.find((each) => each.self)?.peerId
  return (
    <Panel title="Rejected updates" note={rejections.length === 0 ? undefined : plural(rejections.length, 'update')}>
      {newest.length === 0 ? (
        <p className="quiet small">
          None so far. An update that is forged, late, too large or makes the model worse would be listed here with the
          reason, and the round goes on without it.
        </p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <ul className="learn-rejections small" tabIndex={0} aria-label="Rejected updates">
          {newest.map(({ round, peerId, reason, votes, at }) => (
            <li key={`${round} ${peerId} ${reason.code}`}>
              <span className="row spread">
                <Peer peerId={peerId} self={peerId === self} />
                <span className="quiet">
                  <RelativeTime at={at} />
                </span>
              </span>
              <span>
                Its update {rejectionWords(reason)}
                {votes === null ? '' : ` (${votes.bad} of ${votes.all} votes)`}.
              </span>
            </li>
          ))}
          {rejections.length > SHOWN ? <li className="quiet">and {rejections.length - SHOWN} before</li> : null}
        </ul>
      )}
    </Panel>
  )
}
