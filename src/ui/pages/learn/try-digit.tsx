import { Eraser, Image } from 'lucide-react'
import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useId, useRef, useState } from 'react'
import { digitFeatures } from '../../../core/learning/dataset-digit.ts'
import { Button } from '../../parts/button.tsx'
import { act } from '../../parts/toasts.tsx'
import { Frame } from './pictures.ts'
import { SHEET_SIDE, Sheet } from './sheet.ts'
import { DIGIT_STROKES } from './strokes.ts'

interface TryDigitProps {
  readonly side: number
  /** One sample, or `null` when the sheet is empty. Stable. */
  readonly onInput: (input: Float32Array | null) => void
}

type Point = readonly [number, number]

/** Hundredths of the sheet that an arrow key moves the pen. */
const KEY_STEP = 4
const MIDDLE: Point = [50, 50]
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: [-KEY_STEP, 0],
  ArrowRight: [KEY_STEP, 0],
  ArrowUp: [0, -KEY_STEP],
  ArrowDown: [0, KEY_STEP],
}

/** A sheet to draw a digit on: by pointer or finger, by arrow keys, from a picture, or written by Starling. */
export function TryDigit({ side, onInput }: TryDigitProps) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const sheet = useRef<Sheet | null>(null)
  const seen = useRef<HTMLCanvasElement>(null)
  const [pen, setPen] = useState<{ readonly at: Point; readonly down: boolean; readonly shown: boolean }>({
    at: MIDDLE,
    down: false,
    shown: false,
  })

  const look = useCallback((): void => {
    if (sheet.current === null) return
    const features = digitFeatures(sheet.current.drawing(), side)
    paint(seen.current, features, side)
    onInput(features)
  }, [side, onInput])

  useEffect(() => {
    if (canvas.current === null) return
    sheet.current = new Sheet(canvas.current)
    look()
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const follow = (): void => sheet.current?.recolour(inkColour(canvas.current))
    dark.addEventListener('change', follow)
    return () => dark.removeEventListener('change', follow)
  }, [look])

  const onPointerDown = (event: PointerEvent<HTMLCanvasElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId)
    sheet.current?.penDown(pointOf(event), inkColour(event.currentTarget))
  }
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>): void => {
    if (event.buttons === 0) return
    sheet.current?.penTo(pointOf(event))
  }
  const onPointerUp = (): void => {
    sheet.current?.penUp()
    look()
  }
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>): void => {
    // The browser's own.
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const arrow = ARROWS[event.key]
    if (arrow !== undefined) {
      event.preventDefault()
      const at: Point = [within(pen.at[0] + arrow[0]), within(pen.at[1] + arrow[1])]
      if (pen.down) {
        sheet.current?.penDown(pen.at, inkColour(canvas.current))
        sheet.current?.penTo(at)
        sheet.current?.penUp()
        look()
      }
      setPen({ ...pen, at, shown: true })
    } else if (event.key === ' ') {
      event.preventDefault()
      setPen({ ...pen, down: !pen.down, shown: true })
    } else if (/^\d$/.test(event.key)) write(Number(event.key))
    else if (event.key === 'Delete' || event.key === 'Backspace') clear()
  }
  const clear = (): void => {
    sheet.current?.clear()
    look()
  }
  const write = (digit: number): void => {
    sheet.current?.write(DIGIT_STROKES[digit] ?? [], inkColour(canvas.current))
    look()
  }
  const load = (file: File | undefined): void => {
    if (file === undefined) return
    act('Reading the picture', async () => {
      // Black beside a sheet of paper would become ink.
      sheet.current?.lay(await new Frame(SHEET_SIDE, 'middle').read(file), inkColour(canvas.current))
      look()
    })
  }
  return (
    <>
      <div
        className="learn-sheet"
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keys below draw
        tabIndex={0}
        aria-label="Sheet to draw a digit on. Arrow keys move the pen, space puts it down or lifts it, a number key writes that digit, delete clears."
        onKeyDown={onKeyDown}
      >
        <canvas
          ref={canvas}
          className="learn-canvas"
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={onPointerUp}
        />
        <svg className="learn-pen" viewBox="0 0 100 100" aria-hidden="true">
          {pen.shown ? (
            <circle className={pen.down ? 'learn-pen-down' : 'learn-pen-up'} cx={pen.at[0]} cy={pen.at[1]} r="4" />
          ) : null}
        </svg>
      </div>
      <span className="row small quiet">
        <canvas
          ref={seen}
          className="learn-seen"
          width={side}
          height={side}
          role="img"
          aria-label="The drawing, scaled"
        />
        what the model sees
      </span>
      <p className="quiet small">Draw a digit, or let one be written:</p>
      <div className="learn-digits">
        {DIGIT_STROKES.map((_, digit) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a digit is its number
          <Button key={digit} className="learn-digit" aria-label={`Write a ${digit}`} onClick={() => write(digit)}>
            {digit}
          </Button>
        ))}
      </div>
      <div className="row row-wrap">
        <Button icon={<Eraser aria-hidden="true" />} onClick={clear}>
          Clear
        </Button>
        <PictureButton onFile={load} />
      </div>
    </>
  )
}

/** A file input that looks like the buttons beside it. */
export function PictureButton({ onFile }: { readonly onFile: (file: File | undefined) => void }) {
  const id = useId()
  return (
    <span className="folder-input">
      <label htmlFor={id} className="button">
        <Image aria-hidden="true" />
        Load a picture
      </label>
      <input
        id={id}
        type="file"
        accept="image/*"
        className="hidden-visually"
        onChange={(event) => {
          onFile(event.target.files?.[0])
          event.target.value = ''
        }}
      />
    </span>
  )
}

function pointOf(event: PointerEvent<HTMLCanvasElement>): Point {
  const { left, top, width, height } = event.currentTarget.getBoundingClientRect()
  return [(100 * (event.clientX - left)) / width, (100 * (event.clientY - top)) / height]
}

const within = (value: number): number => Math.max(0, Math.min(100, value))

function inkColour(element: HTMLElement | null): string {
  return element === null ? 'black' : getComputedStyle(element).color
}

/** The sample as the model gets it: light on dark, as it was trained. */
export function paint(canvas: HTMLCanvasElement | null, features: Float32Array | null, side: number): void {
  const context = canvas?.getContext('2d')
  if (!context) return
  const image = context.createImageData(side, side)
  for (let i = 0; i < side * side; i++) {
    const gray = Math.round((features?.[i] ?? 0) * 255)
    image.data.set([gray, gray, gray, 255], 4 * i)
  }
  context.putImageData(image, 0, 0)
}
