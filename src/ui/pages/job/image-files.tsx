import { useEffect, useState } from 'react'
import type { ResultItem } from '../../../node/contract.ts'
import { Panel } from '../../parts/panel.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import './picture.css'

/** Pictures shown; downloads have all of them. */
const IMAGES_MAX = 200

const TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  bmp: 'image/bmp',
}

interface Shown {
  readonly unit: number
  readonly url: string
  readonly path: string
}

/** The first picture among the files of each unit. */
export function ImageFiles({ watch, onOpen }: { readonly watch: JobWatch; readonly onOpen: (unit: number) => void }) {
  const [images, setImages] = useState<readonly Shown[]>([])
  useEffect(() => {
    const urls: string[] = []
    const stop = watch.followResults((items) => {
      const found = items.flatMap((item) => firstImage(item)).slice(0, IMAGES_MAX - urls.length)
      if (found.length === 0) return
      urls.push(...found.map((image) => image.url))
      setImages((last) => [...last, ...found].sort((a, b) => a.unit - b.unit))
    })
    return () => {
      stop()
      for (const url of urls) URL.revokeObjectURL(url)
      setImages([])
    }
  }, [watch])
  return (
    <Panel title="Pictures" note={images.length === IMAGES_MAX ? `the first ${IMAGES_MAX}` : undefined}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ul className="images" tabIndex={0} aria-label="Pictures">
        {images.map(({ unit, url, path }) => (
          <li key={unit}>
            <button type="button" className="plain-button" onClick={() => onOpen(unit)}>
              <img src={url} alt={`Unit ${unit}, ${path}`} />
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function firstImage({ unit, outcome }: ResultItem): readonly Shown[] {
  for (const file of outcome.files) {
    const type = TYPES[file.path.split('.').at(-1)?.toLowerCase() ?? '']
    if (type === undefined) continue
    // A clone of bytes that came through a message is never shared memory.
    const url = URL.createObjectURL(new Blob([file.content as Uint8Array<ArrayBuffer>], { type }))
    return [{ unit, url, path: file.path }]
  }
  return []
}
