import { Share2 } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Button } from '../../parts/button.tsx'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { act } from '../../parts/toasts.tsx'
import { useSnapshot } from '../../state/node-context.ts'

const QrCode = lazy(() => import('../../parts/qr-code.tsx').then(({ QrCode }) => ({ default: QrCode })))

/** How others get in: the link, its QR code, copy and share. */
export function Invite() {
  const url = useSnapshot((snapshot) => snapshot.inviteUrl, null)
  // The link of a room carries what lets in; that of an open network does not.
  const letsIn = url?.includes('#invite=') ?? false
  return (
    <Panel title="Invite others">
      <div className="invite">
        <div className="invite-code">
          {url === null ? null : (
            <Suspense>
              <QrCode text={url} />
            </Suspense>
          )}
        </div>
        <div className="stack grow">
          <p className="quiet small">
            {url === null
              ? 'The link appears once a relay is found.'
              : `Whoever opens this link, on a phone or a computer, ${letsIn ? 'is let in and ' : ''}joins after agreeing.`}
          </p>
          {url === null ? null : (
            <>
              <a className="truncate mono small" href={url} title={url}>
                {url}
              </a>
              <div className="row row-wrap">
                <CopyButton text={url} label="Copy link" />
                {'share' in navigator ? (
                  <Button icon={<Share2 aria-hidden="true" />} onClick={() => act('Sharing', () => share(url))}>
                    Share
                  </Button>
                ) : null}
              </div>
            </>
          )}
        </div>
      </div>
    </Panel>
  )
}

async function share(url: string): Promise<void> {
  try {
    await navigator.share({ title: 'Starling', text: 'Lend your tab to this room', url })
  } catch (error) {
    // Closing the system's share sheet is not a failure.
    if (!(error instanceof DOMException && error.name === 'AbortError')) throw error
  }
}
