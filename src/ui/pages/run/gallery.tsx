import { FileCode2, Image, Sigma, Table2 } from 'lucide-react'
import { Link } from 'wouter'
import { EXAMPLES } from '../../../../examples/catalog.ts'

const ICONS: Readonly<Record<string, typeof Image>> = {
  mandelbrot: Image,
  'ray-tracer': Image,
  collatz: Table2,
  'option-price': Sigma,
}

/** What can be run: the examples, or a program of one's own. */
export function Gallery({ chosen }: { readonly chosen: string }) {
  return (
    <ul className="gallery" aria-label="What to run">
      {EXAMPLES.map((example) => (
        <GalleryCard
          key={example.id}
          id={example.id}
          title={example.title}
          note={example.language}
          icon={ICONS[example.id] ?? Table2}
          active={chosen === example.id}
        />
      ))}
      <GalleryCard id="own" title="Your own program" note="any .wasm" icon={FileCode2} active={chosen === 'own'} />
    </ul>
  )
}

interface GalleryCardProps {
  readonly id: string
  readonly title: string
  readonly note: string
  readonly icon: typeof Image
  readonly active: boolean
}

function GalleryCard({ id, title, note, icon: Icon, active }: GalleryCardProps) {
  return (
    <li>
      <Link href={`/run/${id}`} className="gallery-card" aria-current={active ? 'true' : undefined}>
        <Icon aria-hidden="true" />
        <span className="stack-tight">
          <strong>{title}</strong>
          <span className="quiet small gallery-note">{note}</span>
        </span>
      </Link>
    </li>
  )
}
