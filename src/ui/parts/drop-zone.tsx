import { Upload } from 'lucide-react'
import { type DragEvent, useState } from 'react'
import './drop-zone.css'

interface DropZoneProps {
  readonly label: string
  readonly accept?: string | undefined
  readonly multiple?: boolean
  readonly onFiles: (files: readonly File[]) => void
}

/** A file input that also takes what is dropped on it. */
export function DropZone({ label, accept, multiple = false, onFiles }: DropZoneProps) {
  const [over, setOver] = useState(false)
  const onDrop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    onFiles(Array.from(event.dataTransfer.files))
  }
  return (
    <label
      className={`drop ${over ? 'drop-over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <Upload aria-hidden="true" />
      {label}
      <input
        type="file"
        className="hidden-visually"
        accept={accept}
        multiple={multiple}
        onChange={(event) => {
          onFiles(Array.from(event.target.files ?? []))
          // The same file may be chosen again after it was changed.
          event.target.value = ''
        }}
      />
    </label>
  )
}
