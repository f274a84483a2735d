import {
  Activity,
  Ellipsis,
  Fingerprint,
  GraduationCap,
  Handshake,
  House,
  ListChecks,
  Play,
  ShieldAlert,
  Waypoints,
} from 'lucide-react'
import type { ReactNode } from 'react'
import { Link, useLocation, useRoute } from 'wouter'
import { Menu, MenuItem } from '../parts/menu.tsx'
import { StatusLine } from './status-line.tsx'
import { UpdateNotice } from './update-notice.tsx'
import './frame.css'

const ENTRIES = [
  { to: '/', match: '/', word: 'Home', icon: House },
  { to: '/run', match: '/run/*?', word: 'Run', icon: Play },
  { to: '/jobs', match: '/jobs/*?', word: 'Jobs', icon: ListChecks },
  { to: '/peers', match: '/peers/*?', word: 'Peers', icon: Waypoints },
  { to: '/identity', match: '/identity/*?', word: 'Identity', icon: Fingerprint },
] as const

/** Beside the others where there is room; on phones behind one button. */
const MORE = [
  { to: '/learn', match: '/learn/*?', word: 'Learn', icon: GraduationCap },
  { to: '/trust', match: '/trust/*?', word: 'Trust', icon: Handshake },
  { to: '/security', match: '/security/*?', word: 'Security log', icon: ShieldAlert },
  { to: '/diagnostics', match: '/diagnostics/*?', word: 'Diagnostics', icon: Activity },
] as const

type EntryProps = (typeof ENTRIES)[number] | (typeof MORE)[number]

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
          {MORE.map((entry) => (
            <li key={entry.to} className="rail-wide">
              <Entry {...entry} />
            </li>
          ))}
          <li className="rail-narrow">
            <MoreEntries />
          </li>
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

function MoreEntries() {
  const [location, navigate] = useLocation()
  const active = MORE.some(({ to }) => location.startsWith(to))
  return (
    <Menu
      label="More pages"
      trigger={
        <button type="button" className={`rail-entry rail-more ${active ? 'rail-more-active' : ''}`}>
          <Ellipsis aria-hidden="true" />
          <span>More</span>
        </button>
      }
    >
      {MORE.map(({ to, word, icon: Icon }) => (
        <MenuItem key={to} icon={<Icon aria-hidden="true" />} onSelect={() => navigate(to)}>
          {word}
        </MenuItem>
      ))}
    </Menu>
  )
}

function Entry({ to, match, word, icon: Icon }: EntryProps) {
  const [active] = useRoute(match)
  return (
    <Link href={to} className="rail-entry" aria-current={active ? 'page' : undefined}>
      <Icon aria-hidden="true" />
      <span>{word}</span>
    </Link>
  )
}
