import type { ReactNode } from 'react'
import { useId } from 'react'
import './panel.css'

interface PanelProps {
  readonly title: string
  readonly actions?: ReactNode
  readonly note?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}

/** A titled part of a page. */
export function Panel({ title, actions, note, className, children }: PanelProps) {
  const id = useId()
  return (
    <section className={`panel ${className ?? ''}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {note === undefined ? null : <span className="quiet small truncate">{note}</span>}
        <span className="grow" />
        {actions}
      </header>
      {children}
    </section>
  )
}

interface FigureProps {
  readonly value: string
  readonly label: string
  readonly note?: ReactNode
  readonly title?: string
}

/** One number with its unit, what it counts, and a line of context; keeps its height while the number is unknown. */
export function Figure({ value, label, note, title }: FigureProps) {
  return (
    <div className="figure" title={title}>
      <dt className="figure-label">{label}</dt>
      <dd className="figure-value">{value}</dd>
      <dd className="figure-note">{note ?? ' '}</dd>
    </div>
  )
}

export function Figures({ children }: { readonly children: ReactNode }) {
  return <dl className="figures">{children}</dl>
}

interface EmptyProps {
  readonly title: string
  /** True when there is nothing else on the page, so that this is its heading. */
  readonly whole?: boolean
  readonly children: ReactNode
  readonly action?: ReactNode
}

/** What would be here, and the first step towards it. */
export function Empty({ title, whole = false, children, action }: EmptyProps) {
  return (
    <div className="empty">
      {whole ? <h1>{title}</h1> : <h2>{title}</h2>}
      <p className="quiet">{children}</p>
      {action}
    </div>
  )
}

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'error'
  /** What happened. */
  readonly title: string
  /** What Starling did about it, and what the reader can do. */
  readonly children?: ReactNode
  readonly action?: ReactNode
}

export function Notice({ tone, title, children, action }: NoticeProps) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'error' ? 'alert' : 'status'}>
      <div className="grow">
        <strong>{title}</strong>
        {children === undefined ? null : <div className="small">{children}</div>}
      </div>
      {action}
    </div>
  )
}

/** A page while it loads: its name for who cannot see it, and lines where its text will be. */
export function PageSkeleton({ lines = 12 }: { readonly lines?: number }) {
  return (
    <div className="page-skeleton">
      <h1 className="hidden-visually">Loading</h1>
      <Skeleton lines={lines} />
    </div>
  )
}

/** A block of the right size while its content is on the way. */
export function Skeleton({ lines = 3 }: { readonly lines?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <span key={line} className="skeleton-line" />
      ))}
    </div>
  )
}
