import { type RefObject, useEffect } from 'react'
import { Notice, Panel } from '../../parts/panel.tsx'
import type { JobWatch } from '../../state/job-watch.ts'
import { PicturePainter, pictureRefusal, pictureSize, type TilesView } from './picture-painter.ts'
import './picture.css'

interface PictureProps {
  readonly watch: JobWatch
  readonly view: TilesView
  readonly name: string
  readonly canvas: RefObject<HTMLCanvasElement | null>
}

/** The picture, assembling itself as tiles are accepted. */
export function Picture({ watch, view, name, canvas }: PictureProps) {
  const { width, height } = pictureSize(view)
  const refusal = pictureRefusal(view)
  const key = `${view.columns}×${view.rows}×${view.tileWidth}×${view.tileHeight}`
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key is what of the view matters; the object is new each time
  useEffect(() => {
    if (canvas.current === null || refusal !== null) return
    const painter = new PicturePainter(canvas.current, view)
    return watch.followResults((items) => painter.paint(items))
  }, [watch, key])
  return (
    <Panel title="Picture" note={`${width} × ${height} pixels`}>
      {refusal === null ? (
        <canvas
          ref={canvas}
          className="picture"
          width={width}
          height={height}
          role="img"
          aria-label={`Result of ${name}`}
        />
      ) : (
        <Notice tone="warning" title="Too large to draw here">
          {refusal}
        </Notice>
      )}
    </Panel>
  )
}
