import { Field } from '../../parts/controls.tsx'
import { type FieldErrors, NUMBERS, type NumberName, type TaskDraft } from './draft.ts'

export interface FormPart {
  readonly draft: TaskDraft
  readonly errors: FieldErrors
  readonly onChange: (change: Partial<TaskDraft>) => void
}

/** A number of the form, as it is typed, with why it is refused. */
export function NumberInput({ name, draft, errors, onChange }: FormPart & { readonly name: NumberName }) {
  const { label, note } = NUMBERS[name]
  const error = errors[name] ?? null
  return (
    <Field label={label} note={note} error={error}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          inputMode="decimal"
          value={draft.numbers[name]}
          aria-invalid={error !== null}
          onChange={(event) => onChange({ numbers: { ...draft.numbers, [name]: event.target.value } })}
        />
      )}
    </Field>
  )
}
