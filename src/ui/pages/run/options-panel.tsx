import { useState } from 'react'
import type { JobOptions } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { Field, Toggle } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { LIMIT_FIELDS, type OptionField, optionsError, PRICE_FIELDS, TRUST_FIELDS } from './options.ts'

interface OptionsPanelProps {
  readonly options: JobOptions
  readonly onChange: (change: Partial<JobOptions>) => void
}

/** How sure, how much and at what price; everything has a default. */
export function OptionsPanel({ options, onChange }: OptionsPanelProps) {
  const { replicas, quorum } = options
  const inShort =
    replicas === 1
      ? 'each unit runs once and is believed'
      : `each unit runs on ${plural(replicas, 'peer')}, ${quorum} must agree`
  return (
    <Panel title="Options" note={inShort}>
      <div className="stack">
        <Toggle
          label="Let this device compute units of it too"
          note="Your own cores count as one executor."
          checked={options.useOwnWorkers}
          onChange={(useOwnWorkers) => onChange({ useOwnWorkers })}
        />
        <Fields fields={TRUST_FIELDS} options={options} onChange={onChange} error={optionsError(options)} />
        <details>
          <summary>Limits of one unit</summary>
          <Fields fields={LIMIT_FIELDS} options={options} onChange={onChange} />
        </details>
        <details>
          <summary>Prices</summary>
          <Fields fields={PRICE_FIELDS} options={options} onChange={onChange} />
        </details>
      </div>
    </Panel>
  )
}

interface FieldsProps extends OptionsPanelProps {
  readonly fields: readonly OptionField[]
  readonly error?: string | null
}

function Fields({ fields, options, onChange, error = null }: FieldsProps) {
  return (
    <div className="fields">
      {fields.map((field) => (
        <NumberInput
          key={field.name}
          field={field}
          value={field.read(options)}
          error={field.name === 'quorum' ? error : null}
          onChange={(value) => onChange(field.write(value))}
        />
      ))}
    </div>
  )
}

interface NumberInputProps {
  readonly field: OptionField
  readonly value: number
  readonly error: string | null
  readonly onChange: (value: number) => void
}

/** Keeps what is typed as it is typed; only a number within its bounds goes on. */
function NumberInput({ field, value, error, onChange }: NumberInputProps) {
  const [text, setText] = useState<string | null>(null)
  const refusal = text === null ? null : refuse(field, text)
  return (
    <Field label={field.label} note={field.note} error={refusal ?? error}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          inputMode="decimal"
          value={text ?? String(value)}
          aria-invalid={refusal !== null || error !== null}
          onChange={(event) => {
            const next = event.target.value
            setText(next)
            if (refuse(field, next) === null) onChange(Number(next))
          }}
          onBlur={() => (refusal === null ? setText(null) : undefined)}
        />
      )}
    </Field>
  )
}

function refuse(field: OptionField, text: string): string | null {
  const value = Number(text)
  if (text.trim() !== '' && value >= field.min && value <= field.max) return null
  return `${field.label} is ${text || 'empty'}; it must be from ${field.min} to ${field.max}`
}
