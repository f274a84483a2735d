import { Slider, Switch, Tabs } from 'radix-ui'
import { type ReactNode, useEffect, useId, useState } from 'react'
import './controls.css'

interface RangeProps {
  readonly label: string
  readonly value: number
  readonly min: number
  readonly max: number
  readonly step?: number
  readonly words: (value: number) => string
  /** Called once the hand lets go, or at each key. */
  readonly onChange: (value: number) => void
}

/** A slider with its value in words; it follows the hand at once and tells others when the hand lets go. */
export function Range({ label, value, min, max, step = 1, words, onChange }: RangeProps) {
  const [held, setHeld] = useState(value)
  useEffect(() => setHeld(value), [value])
  return (
    <div className="range">
      <span className="row spread">
        <span>{label}</span>
        <output className="quiet">{words(held)}</output>
      </span>
      <Slider.Root
        className="slider"
        value={[held]}
        min={min}
        max={max}
        step={step}
        onValueChange={([next]) => setHeld(next ?? held)}
        onValueCommit={([next]) => onChange(next ?? held)}
      >
        <Slider.Track className="slider-track">
          <Slider.Range className="slider-range" />
        </Slider.Track>
        <Slider.Thumb className="slider-thumb" aria-label={label} aria-valuetext={words(held)} />
      </Slider.Root>
    </div>
  )
}

interface ToggleProps {
  readonly label: string
  readonly note?: string
  readonly checked: boolean
  readonly disabled?: boolean
  readonly onChange: (checked: boolean) => void
}

export function Toggle({ label, note, checked, disabled = false, onChange }: ToggleProps) {
  const id = useId()
  return (
    <div className="toggle">
      <label htmlFor={id} className="grow">
        <span>{label}</span>
        {note === undefined ? null : <span className="quiet small toggle-note">{note}</span>}
      </label>
      <Switch.Root id={id} className="switch" checked={checked} disabled={disabled} onCheckedChange={onChange}>
        <Switch.Thumb className="switch-thumb" />
      </Switch.Root>
    </div>
  )
}

interface FieldProps {
  readonly label: string
  readonly note?: string | undefined
  readonly error?: string | null
  readonly children: (ids: { readonly id: string; readonly 'aria-describedby': string }) => ReactNode
}

/** A labelled input with its explanation and, when it is refused, why. */
export function Field({ label, note, error, children }: FieldProps) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, 'aria-describedby': `${id}-note` })}
      <span
        id={`${id}-note`}
        className={error ? 'field-error small' : 'quiet small'}
        role={error ? 'alert' : undefined}
      >
        {error ?? note ?? ''}
      </span>
    </div>
  )
}

interface SegmentsProps<T extends string> {
  readonly label: string
  readonly value: T
  readonly options: readonly { readonly value: T; readonly word: string }[]
  readonly onChange: (value: T) => void
}

/** Views of one thing, of which one is shown; wrap their contents in {@link Segment}. */
export function Segments<T extends string>({
  label,
  value,
  options,
  onChange,
  children,
}: SegmentsProps<T> & { readonly children: ReactNode }) {
  return (
    // Radix hands back the value of the trigger that was chosen, which is one of `options`.
    <Tabs.Root value={value} onValueChange={(next) => onChange(next as T)} className="stack">
      <Tabs.List className="segments" aria-label={label}>
        {options.map((option) => (
          <Tabs.Trigger key={option.value} value={option.value} className="segment">
            {option.word}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {children}
    </Tabs.Root>
  )
}

export function Segment({ value, children }: { readonly value: string; readonly children: ReactNode }) {
  return (
    <Tabs.Content value={value} className="stack" tabIndex={-1}>
      {children}
    </Tabs.Content>
  )
}
