import { Upload } from 'lucide-react'
import { type DragEvent, useState } from 'react'
import type { UnitFile } from '../../../core/tasks/unit.ts'
import { act } from '../../parts/toasts.tsx'

interface DropFilesProps {
  readonly label: string
  readonly accept?: string
  readonly multiple?: boolean
  readonly onFiles: (files: readonly UnitFile[]) => void
}

/** A file input that also takes what is dropped on it. */
export function DropFiles({ label, accept, multiple = false, onFiles }: DropFilesProps) {
  const [over, setOver] = useState(false)
  const take = (list: FileList | null): void => act('Reading the files', async () => onFiles(await readFiles(list)))
  const onDrop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    take(event.dataTransfer.files)
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
        onChange={(event) => take(event.target.files)}
      />
    </label>
  )
}

async function readFiles(list: FileList | null): Promise<UnitFile[]> {
  return Promise.all(
    Array.from(list ?? [], async (file) => ({
      path: file.name,
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  )
}
