import { FolderOpen } from 'lucide-react'
import { type ChangeEvent, useEffect, useId, useState } from 'react'
import type { LearningDataSummary } from '../../../node/learning-contract.ts'
import { count, plural } from '../../format/number.ts'
import { Field, Segment, Segments } from '../../parts/controls.tsx'
import { DropZone } from '../../parts/drop-zone.tsx'
import { Notice, Skeleton } from '../../parts/panel.tsx'
import { useNode } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import { ClassBars } from './bars.tsx'
import { guessLabelColumn } from './data-files.ts'
import type { DataWants } from './data-wants.ts'
import { type DataChoice, type LoadedData, loadData, readHeader, sortChosen } from './load-data.ts'

interface DataChooserProps {
  readonly wants: DataWants
  /** Which share of the bundled digits is offered first, from 0. */
  readonly firstShare?: number
  readonly onLoaded: (loaded: LoadedData | null) => void
}

type Source = 'bundled' | 'files'

const FIRST_SIDE = 28
const SIDES = [14, 20, 28, 32, 48, 64] as const

/** Where the samples come from, and what is in them. */
export function DataChooser({ wants, firstShare = 0, onLoaded }: DataChooserProps) {
  const shares = wants.bundled?.shares ?? 0
  const bundled: DataChoice = {
    kind: 'bundled',
    share: shares === 0 ? null : { index: firstShare % shares, of: shares },
  }
  const [source, setSource] = useState<Source>(wants.bundled === null ? 'files' : 'bundled')
  const [digits, setDigits] = useState<DataChoice>(bundled)
  const [files, setFiles] = useState<DataChoice | null>(null)
  const [refused, setRefused] = useState<string | null>(null)
  const choice = source === 'bundled' ? digits : files
  const { loaded, error } = useLoaded(choice, wants, onLoaded)

  const take = async (chosen: readonly File[]): Promise<void> => {
    if (chosen.length === 0) return
    setFiles(null)
    setRefused(null)
    try {
      setFiles(await choiceOf(chosen, wants))
    } catch (caught) {
      setRefused(errorText(caught))
    }
  }
  const own = (
    <>
      <DropZone
        label={FILES_WORDS[wants.files]}
        accept={wants.files === 'table' ? '.csv,.tsv,.txt,.gz,text/csv' : undefined}
        multiple={wants.files !== 'table'}
        onFiles={(chosen) => void take(chosen)}
      />
      {wants.files === 'table' ? null : <FolderInput onFiles={(chosen) => void take(chosen)} />}
      {files === null ? null : <FileTerms choice={files} wants={wants} onChange={setFiles} />}
      {refused === null ? null : (
        <Notice tone="error" title="These files cannot be used">
          {refused}. Nothing left this device.
        </Notice>
      )}
    </>
  )
  return (
    <div className="stack">
      {wants.bundled === null ? (
        own
      ) : (
        <Segments
          label="Where the samples come from"
          value={source}
          onChange={setSource}
          options={[
            { value: 'bundled', word: 'Handwritten digits' },
            { value: 'files', word: 'Your own files' },
          ]}
        >
          <Segment value="bundled">
            <p className="quiet small">
              4,000 handwritten digits that ship with Starling, 14 × 14 pixels each.
              {shares === 0 ? '' : ' Each member takes another share, so that no two know the same.'}
            </p>
            {shares === 0 || digits.kind !== 'bundled' ? null : (
              <ShareField choice={digits} shares={shares} onChange={setDigits} />
            )}
          </Segment>
          <Segment value="files">{own}</Segment>
        </Segments>
      )}
      {error === null ? null : (
        <Notice tone="error" title="The data cannot be used">
          {error}. Nothing left this device; mend the file or choose another.
        </Notice>
      )}
      {choice !== null && loaded === null && error === null ? <Skeleton lines={4} /> : null}
      {loaded?.summary && shares === 0 ? <DataSummary summary={loaded.summary} /> : null}
    </div>
  )
}

const FILES_WORDS: Readonly<Record<DataWants['files'], string>> = {
  any: 'Drop or choose a CSV table, two IDX files, or pictures named by class',
  table: 'Drop or choose a CSV table with the same columns',
  pictures: 'Drop or choose two IDX files, or pictures named by class',
}

/** Reads the choice anew whenever it changes; what comes late for an older choice is dropped. */
function useLoaded(choice: DataChoice | null, wants: DataWants, onLoaded: DataChooserProps['onLoaded']) {
  const node = useNode()
  const [state, setState] = useState<{ readonly loaded: LoadedData | null; readonly error: string | null }>({
    loaded: null,
    error: null,
  })
  useEffect(() => {
    let stale = false
    setState({ loaded: null, error: null })
    onLoaded(null)
    if (choice === null) return
    loadData(choice, wants, node).then(
      (loaded) => {
        if (stale) return
        setState({ loaded, error: null })
        onLoaded(loaded)
      },
      (error: unknown) => (stale ? undefined : setState({ loaded: null, error: errorText(error) })),
    )
    return () => {
      stale = true
    }
  }, [choice, wants, node, onLoaded])
  return state
}

async function choiceOf(files: readonly File[], wants: DataWants): Promise<DataChoice> {
  const sorted = await sortChosen(files, wants)
  // Places in a list that was made from these very files.
  const at = (index: number): File => files[index] as File
  switch (sorted.kind) {
    case 'csv': {
      const header = await readHeader(at(sorted.file))
      return { kind: 'csv', file: at(sorted.file), header, label: wants.label ?? guessLabelColumn(header) }
    }
    case 'idx':
      return { kind: 'idx', images: at(sorted.images), labels: at(sorted.labels) }
    case 'pictures': {
      const pictures = sorted.pictures.map((index, i) => ({ file: at(index), label: sorted.labels[i] ?? '' }))
      return { kind: 'pictures', pictures, side: wants.side ?? FIRST_SIDE }
    }
  }
}

interface FileTermsProps {
  readonly choice: DataChoice
  readonly wants: DataWants
  readonly onChange: (choice: DataChoice) => void
}

/** What a file alone does not say: its column of classes, or to which size pictures are scaled. */
function FileTerms({ choice, wants, onChange }: FileTermsProps) {
  if (choice.kind === 'csv') {
    if (wants.label !== null) return <p className="small">{choice.file.name}</p>
    return (
      <Field label="Column to predict" note={`${choice.file.name}: all other columns are what it is predicted from`}>
        {(ids) => (
          <select
            {...ids}
            className="input"
            value={choice.label}
            onChange={(event) => onChange({ ...choice, label: event.target.value })}
          >
            {choice.header.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
    )
  }
  if (choice.kind === 'idx') return <p className="small">{`${choice.images.name}, ${choice.labels.name}`}</p>
  if (choice.kind !== 'pictures') return null
  if (wants.side !== null)
    return (
      <p className="small">{`${plural(choice.pictures.length, 'picture')}, scaled to ${wants.side} × ${wants.side}, gray`}</p>
    )
  return (
    <Field
      label="Scale pictures to"
      note={`${plural(choice.pictures.length, 'picture')}, made gray; smaller ones train faster`}
    >
      {(ids) => (
        <select
          {...ids}
          className="input"
          value={choice.side}
          onChange={(event) => onChange({ ...choice, side: Number(event.target.value) })}
        >
          {SIDES.map((side) => (
            <option key={side} value={side}>{`${side} × ${side} pixels`}</option>
          ))}
        </select>
      )}
    </Field>
  )
}

interface ShareFieldProps {
  readonly choice: Extract<DataChoice, { kind: 'bundled' }>
  readonly shares: number
  readonly onChange: (choice: DataChoice) => void
}

function ShareField({ choice, shares, onChange }: ShareFieldProps) {
  const choose = (value: string): void =>
    onChange({ kind: 'bundled', share: value === 'all' ? null : { index: Number(value), of: shares } })
  return (
    <Field label="Your share of the digits" note="One was chosen for you; in a room, agree on different ones.">
      {(ids) => (
        <select
          {...ids}
          className="input"
          value={choice.share?.index ?? 'all'}
          onChange={(event) => choose(event.target.value)}
        >
          {Array.from({ length: shares }, (_, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a share is its number
            <option key={index} value={index}>{`Share ${index + 1} of ${shares}`}</option>
          ))}
          <option value="all">All of them</option>
        </select>
      )}
    </Field>
  )
}

function FolderInput({ onFiles }: { readonly onFiles: (files: readonly File[]) => void }) {
  const id = useId()
  const take = (event: ChangeEvent<HTMLInputElement>): void => {
    onFiles(Array.from(event.target.files ?? []))
    event.target.value = ''
  }
  return (
    <span className="folder-input">
      <label htmlFor={id} className="button">
        <FolderOpen aria-hidden="true" />
        Choose a folder with a folder for each class
      </label>
      <input
        id={id}
        type="file"
        className="hidden-visually"
        multiple
        onChange={take}
        // Not in React's types: the whole folder is chosen.
        {...{ webkitdirectory: '' }}
      />
    </span>
  )
}

/** What is in the data. */
export function DataSummary({ summary }: { readonly summary: LearningDataSummary }) {
  const { samples, inputs, classes, perClass, picture, table } = summary
  const shape =
    picture !== null
      ? `pictures of ${picture.width} × ${picture.height} pixels`
      : `${plural(table?.columns.length ?? inputs, 'column')}${table === null ? '' : `: ${table.columns.map(({ name }) => name).join(', ')}`}`
  return (
    <div className="stack">
      <p className="small">
        <strong>{plural(samples, 'sample')}</strong> of {count(classes.length)} classes; {shape}
      </p>
      <ClassBars classes={classes} counts={perClass} />
    </div>
  )
}
