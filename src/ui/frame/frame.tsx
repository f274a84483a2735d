import { Activity, House, ListChecks, Play, Waypoints } from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useRoute } from 'wouter'
import { StatusLine } from './status-line.tsx'
import { UpdateNotice } from './update-notice.tsx'
import './frame.css'

const ENTRIES = [
  { to: '/', match: '/', word: 'Home', icon: House },
  { to: '/run', match: '/run/*?', word: 'Run', icon: Play },
  { to: '/jobs', match: '/jobs/*?', word: 'Jobs', icon: ListChecks },
  { to: '/peers', match: '/peers/*?', word: 'Peers', icon: Waypoints },
  { to: '/diagnostics', match: '/diagnostics/*?', word: 'Diagnostics', icon: Activity },
] as const

/** What is around every page: where one can go, and what the node is doing. */
export function Frame({ children }: { readonly children: ReactNode }) {
  return (
    <div className="frame">
      <a className="skip-link" href="#page">
        Skip to the page
      </a>
      <nav className="rail" aria-label="Pages">
        <span className="rail-mark" aria-hidden="true">
          <img src="/mark.svg" alt="" width="28" height="28" />
          <span>Starling</span>
        </span>
        <ul className="rail-list">
          {ENTRIES.map((entry) => (
            <li key={entry.to}>
              <Entry {...entry} />
            </li>
          ))}
        </ul>
      </nav>
      <div className="frame-main">
        <StatusLine />
        <UpdateNotice />
        <main id="page" className="page" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  )
}

function Entry({ to, match, word, icon: Icon }: (typeof ENTRIES)[number]) {
  const [active] = useRoute(match)
  return (
    <Link href={to} className="rail-entry" aria-current={active ? 'page' : undefined}>
      <Icon aria-hidden="true" />
      <span>{word}</span>
    </Link>
  )
}
