import { type FormEvent, type ReactNode, useState } from 'react'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/controls.tsx'
import { errorText } from '../../state/session.ts'

/** The shortest passphrase that the node takes. */
const PASSPHRASE_CHARS_MIN = 10

interface FormShellProps {
  readonly label: string
  readonly action: string
  readonly busyAction: string
  readonly ready: boolean
  readonly onSubmit: () => Promise<void>
  readonly children: ReactNode
}

/** A form whose answer takes a moment and may be refused; why stands in it. */
function FormShell({ label, action, busyAction, ready, onSubmit, children }: FormShellProps) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string | null>(null)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    setError(null)
    onSubmit()
      .catch((caught: unknown) => setError(errorText(caught)))
      .finally(() => setBusy(false))
  }
  return (
    <form className="stack identity-form" aria-label={label} onSubmit={submit}>
      {children}
      {error === null ? null : (
        <p className="field-error small" role="alert">
          {error}
        </p>
      )}
      <div className="row">
        <Button type="submit" look="primary" disabled={busy || !ready}>
          {busy ? busyAction : action}
        </Button>
      </div>
    </form>
  )
}

interface NewPassphraseFormProps {
  readonly onPassphrase: (passphrase: string) => Promise<void>
}

/** Asks for a new passphrase, twice. */
export function NewPassphraseForm({ onPassphrase }: NewPassphraseFormProps) {
  const [first, setFirst] = useState('')
  const [second, setSecond] = useState('')
  const long = first.length >= PASSPHRASE_CHARS_MIN
  const differs = second !== '' && first !== second
  const submit = async (): Promise<void> => {
    await onPassphrase(first)
    setFirst('')
    setSecond('')
  }
  return (
    <FormShell
      label="Backup file"
      action="Make and save the file"
      busyAction="Making it"
      ready={long && first === second}
      onSubmit={submit}
    >
      <div className="stack">
        <PassphraseField
          label="Passphrase"
          note={`At least ${PASSPHRASE_CHARS_MIN} characters; four random words are good. Nobody can reset it`}
          autoComplete="new-password"
          value={first}
          onChange={setFirst}
        />
        <PassphraseField
          label="The same again"
          note=""
          error={differs ? 'The two are not the same' : null}
          autoComplete="new-password"
          value={second}
          onChange={setSecond}
        />
      </div>
    </FormShell>
  )
}

interface FileFormProps {
  readonly label: string
  readonly action: string
  readonly busyAction: string
  readonly onFile: (file: Uint8Array, passphrase: string) => Promise<void>
}

/** Asks for a backup file and its passphrase. */
export function BackupFileForm({ label, action, busyAction, onFile }: FileFormProps) {
  const [file, setFile] = useState<File | null>(null)
  const [passphrase, setPassphrase] = useState('')
  const submit = async (): Promise<void> => {
    if (file === null) return
    await onFile(new Uint8Array(await file.arrayBuffer()), passphrase)
    setPassphrase('')
  }
  return (
    <FormShell
      label={label}
      action={action}
      busyAction={busyAction}
      ready={file !== null && passphrase !== ''}
      onSubmit={submit}
    >
      <div className="stack">
        <FileField label="Backup file" note="Ends in .starling" onFile={setFile} />
        <PassphraseField
          label="Its passphrase"
          note=""
          autoComplete="off"
          value={passphrase}
          onChange={setPassphrase}
        />
      </div>
    </FormShell>
  )
}

interface FileFieldProps {
  readonly label: string
  readonly note: string
  readonly onFile: (file: File | null) => void
}

export function FileField({ label, note, onFile }: FileFieldProps) {
  return (
    <Field label={label} note={note}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          type="file"
          accept=".starling"
          onChange={(event) => onFile(event.target.files?.[0] ?? null)}
        />
      )}
    </Field>
  )
}

interface PassphraseFieldProps {
  readonly label: string
  readonly note: string
  readonly error?: string | null
  readonly autoComplete: string
  readonly value: string
  readonly onChange: (value: string) => void
}

function PassphraseField({ label, note, error = null, autoComplete, value, onChange }: PassphraseFieldProps) {
  return (
    <Field label={label} note={note} error={error}>
      {(ids) => (
        <input
          {...ids}
          className="input"
          type="password"
          autoComplete={autoComplete}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}
