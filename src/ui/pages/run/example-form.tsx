import { useEffect, useState } from 'react'
import { type Example, type ExampleOption, type ExampleValues, jobOf } from '../../../../examples/example.ts'
import { Field } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { errorText } from '../../state/session.ts'
import type { DraftState } from './draft.ts'
import { loadExampleAsset } from './example-assets.ts'

/** Typing is left to finish before thousands of inputs are planned. */
const PLAN_AFTER_MS = 200

interface ExampleFormProps {
  readonly example: Example
  readonly onDraft: (state: DraftState) => void
}

/** The choices an example offers; filled with what makes a good first picture. */
export function ExampleForm({ example, onDraft }: ExampleFormProps) {
  const [values, setValues] = useState<ExampleValues>({})
  useEffect(() => {
    let stale = false
    const timer = setTimeout(() => {
      void draftOf(example, values).then((state) => (stale ? undefined : onDraft(state)))
    }, PLAN_AFTER_MS)
    return () => {
      stale = true
      clearTimeout(timer)
    }
  }, [example, values, onDraft])
  return (
    <Panel
      title={example.title}
      note={`${example.language}, ${example.abi === 'reactor' ? 'reactor' : 'WASI command'}`}
    >
      <div className="stack">
        <p className="quiet">{example.description}</p>
        <div className="fields">
          {example.options.map((option) => (
            <OptionInput
              key={option.name}
              option={option}
              value={values[option.name] ?? option.default}
              onChange={(value) => setValues((last) => ({ ...last, [option.name]: value }))}
            />
          ))}
        </div>
      </div>
    </Panel>
  )
}

interface OptionInputProps {
  readonly option: ExampleOption
  readonly value: string
  readonly onChange: (value: string) => void
}

function OptionInput({ option, value, onChange }: OptionInputProps) {
  return (
    <Field label={option.label} note={option.help}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          inputMode={option.kind === 'whole' ? 'numeric' : 'decimal'}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}

async function draftOf(example: Example, values: ExampleValues): Promise<DraftState> {
  try {
    const { caption } = example.plan(values)
    const { options: _, ...spec } = await jobOf(example, values, loadExampleAsset)
    return { draft: { spec, origin: { example: example.id, values }, caption } }
  } catch (error) {
    return { draft: null, why: errorText(error) }
  }
}
