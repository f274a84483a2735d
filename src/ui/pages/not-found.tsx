import { Link } from 'wouter'
import { Empty } from '../parts/panel.tsx'

export function NotFound() {
  return (
    <Empty whole title="There is no page here" action={<Link href="/">Go to Home</Link>}>
      The link may be from another version of Starling.
    </Empty>
  )
}
