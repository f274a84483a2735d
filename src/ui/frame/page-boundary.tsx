import { Component, type ReactNode, Suspense } from 'react'
import { Button } from '../parts/button.tsx'
import { Notice, PageSkeleton } from '../parts/panel.tsx'

interface Props {
  readonly children: ReactNode
}

/** Draws a page while its code loads, and says what happened when it cannot be drawn. The node goes on either way. */
export class PageBoundary extends Component<Props, { readonly error: Error | null }> {
  override readonly state = { error: null as Error | null }

  static getDerivedStateFromError(error: Error): { readonly error: Error } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    if (error === null) return <Suspense fallback={<PageSkeleton />}>{this.props.children}</Suspense>
    return (
      <Notice
        tone="error"
        title="This page could not be shown"
        action={<Button onClick={() => this.setState({ error: null })}>Try again</Button>}
      >
        {error.message}. The node and its jobs go on. If it happens again, reload the tab.
      </Notice>
    )
  }
}
