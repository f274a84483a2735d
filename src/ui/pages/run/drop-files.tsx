import type { UnitFile } from '../../../core/tasks/unit.ts'
import { DropZone } from '../../parts/drop-zone.tsx'
import { act } from '../../parts/toasts.tsx'

interface DropFilesProps {
  readonly label: string
  readonly accept?: string
  readonly multiple?: boolean
  readonly onFiles: (files: readonly UnitFile[]) => void
}

/** A {@link DropZone} that hands on what is in the files. */
export function DropFiles({ label, accept, multiple = false, onFiles }: DropFilesProps) {
  const take = (files: readonly File[]): void => act('Reading the files', async () => onFiles(await readFiles(files)))
  return <DropZone label={label} accept={accept} multiple={multiple} onFiles={take} />
}

async function readFiles(files: readonly File[]): Promise<UnitFile[]> {
  return Promise.all(
    files.map(async (file) => ({ path: file.name, content: new Uint8Array(await file.arrayBuffer()) })),
  )
}
