import { useRef, useState } from 'react'
import { act } from '../../parts/toasts.tsx'
import { Frame } from './pictures.ts'
import { PictureButton, paint } from './try-digit.tsx'

interface TryPictureProps {
  readonly side: number
  readonly onInput: (input: Float32Array | null) => void
}

/** A picture of one's own, made as small and gray as the samples are. */
export function TryPicture({ side, onInput }: TryPictureProps) {
  const seen = useRef<HTMLCanvasElement>(null)
  const [name, setName] = useState<string | null>(null)
  const load = (file: File | undefined): void => {
    if (file === undefined) return
    act('Reading the picture', async () => {
      const grays = await new Frame(side).read(file)
      paint(seen.current, grays, side)
      setName(file.name)
      onInput(grays)
    })
  }
  return (
    <>
      <canvas
        ref={seen}
        className="learn-picture"
        width={side}
        height={side}
        role="img"
        aria-label="The picture, scaled"
      />
      <p className="quiet small">
        {name === null ? 'A picture of yours, as the model sees it.' : `${name}, as the model sees it.`}
      </p>
      <div>
        <PictureButton onFile={load} />
      </div>
    </>
  )
}
