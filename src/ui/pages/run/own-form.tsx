import { useEffect, useState } from 'react'
import type { ModuleReport } from '../../../core/sandbox/module.ts'
import type { UnitFile, UnitInput } from '../../../core/tasks/unit.ts'
import type { ResultView } from '../../../node/contract.ts'
import { bytes, plural } from '../../format/number.ts'
import { Field, Segment, Segments } from '../../parts/controls.tsx'
import { Notice, Panel } from '../../parts/panel.tsx'
import { useNode } from '../../state/node-context.ts'
import { errorText } from '../../state/session.ts'
import type { DraftState } from './draft.ts'
import { DropFiles } from './drop-files.tsx'
import { argumentInputs, fileInputs, type InputAs, jsonLineInputs, rangeInputs } from './inputs.ts'
import { ModuleFacts } from './module-facts.tsx'

interface Module {
  readonly name: string
  readonly content: Uint8Array
  readonly report: ModuleReport | null
  readonly error: string | null
}

type Kind = 'range' | 'args' | 'jsonl' | 'files'

interface Values {
  readonly kind: Kind
  readonly as: InputAs
  readonly from: string
  readonly to: string
  readonly args: string
  readonly jsonl: string
  readonly files: readonly UnitFile[]
  readonly shared: readonly UnitFile[]
  readonly view: 'table' | 'image-files' | 'none'
}

const FRESH: Values = {
  kind: 'range',
  as: 'args',
  from: '1',
  to: '100',
  args: '',
  jsonl: '',
  files: [],
  shared: [],
  view: 'table',
}

/** A program and inputs of one's own. */
export function OwnForm({ onDraft }: { readonly onDraft: (state: DraftState) => void }) {
  const node = useNode()
  const [module, setModule] = useState<Module | null>(null)
  const [values, setValues] = useState<Values>(FRESH)
  const set = (change: Partial<Values>): void => setValues((last) => ({ ...last, ...change }))
  const reactor = module?.report?.abi === 'reactor'

  const choose = async ([file]: readonly UnitFile[]): Promise<void> => {
    if (file === undefined) return
    const base = { name: file.path, content: file.content }
    try {
      const report = await node.inspectModule(file.content)
      setModule({ ...base, report, error: null })
      if (report.abi === 'reactor') set({ as: 'stdin' })
    } catch (error) {
      setModule({ ...base, report: null, error: errorText(error) })
    }
  }

  useEffect(() => onDraft(draftOf(module, values)), [module, values, onDraft])

  return (
    <>
      <Panel title="Program" note="a WebAssembly file from C, Rust, Zig, TinyGo, AssemblyScript, …">
        <div className="stack">
          <DropFiles
            label="Choose or drop a .wasm file"
            accept=".wasm,application/wasm"
            onFiles={(files) => void choose(files)}
          />
          {module === null ? null : <Inspection module={module} />}
        </div>
      </Panel>
      <Panel title="Inputs" note="one unit for each">
        <InputsForm values={values} set={set} reactor={reactor} />
      </Panel>
    </>
  )
}

function Inspection({ module }: { readonly module: Module }) {
  if (module.report === null) {
    return (
      <Notice tone="error" title={`${module.name} was refused`}>
        {module.error}. No peer would run it, so nothing was given out. The limits are the same for everybody; build the
        program without what is named and choose it again.
      </Notice>
    )
  }
  return <ModuleFacts name={module.name} report={module.report} />
}

interface InputsFormProps {
  readonly values: Values
  readonly set: (change: Partial<Values>) => void
  readonly reactor: boolean
}

function InputsForm({ values, set, reactor }: InputsFormProps) {
  const { kind, as, from, to, args, jsonl, files, shared, view } = values
  return (
    <div className="stack">
      <Segments
        label="Kind of inputs"
        value={kind}
        onChange={(next) => set({ kind: next })}
        options={[
          { value: 'range', word: 'Numbers' },
          { value: 'args', word: 'Arguments' },
          { value: 'jsonl', word: 'JSON lines' },
          { value: 'files', word: 'Files' },
        ]}
      >
        <Segment value="range">
          <div className="fields">
            <Field label="From" note="The first whole number">
              {(ids) => (
                <input
                  {...ids}
                  className="input"
                  inputMode="numeric"
                  value={from}
                  onChange={(event) => set({ from: event.target.value })}
                />
              )}
            </Field>
            <Field label="To" note="The last one, included">
              {(ids) => (
                <input
                  {...ids}
                  className="input"
                  inputMode="numeric"
                  value={to}
                  onChange={(event) => set({ to: event.target.value })}
                />
              )}
            </Field>
          </div>
        </Segment>
        <Segment value="args">
          <Field label="One unit on each line" note="Arguments separated by spaces; quotes keep spaces">
            {(ids) => (
              <textarea
                {...ids}
                className="input"
                spellCheck={false}
                value={args}
                onChange={(event) => set({ args: event.target.value })}
              />
            )}
          </Field>
        </Segment>
        <Segment value="jsonl">
          <Field
            label="One unit on each line"
            note={'A text, a number, or {"args": […], "env": {…}, "stdin": "…", "files": {"name": "text"}}'}
          >
            {(ids) => (
              <textarea
                {...ids}
                className="input"
                spellCheck={false}
                value={jsonl}
                onChange={(event) => set({ jsonl: event.target.value })}
              />
            )}
          </Field>
        </Segment>
        <Segment value="files">
          <DropFiles
            label="Choose or drop files, one unit each"
            multiple
            onFiles={(chosen) => set({ files: chosen })}
          />
          <p className="quiet small">{files.length === 0 ? 'None yet' : `${plural(files.length, 'file')} chosen`}</p>
        </Segment>
      </Segments>
      <div className="fields">
        {kind === 'args' || reactor ? null : (
          <Field label="Reaches the program as" note={AS_NOTES[as]}>
            {(ids) => (
              // The values of the options are those of `InputAs`.
              <select
                {...ids}
                className="input"
                value={as}
                onChange={(event) => set({ as: event.target.value as InputAs })}
              >
                {kind === 'files' ? null : <option value="args">Argument</option>}
                <option value="stdin">Standard input</option>
                <option value="file">File under /in</option>
              </select>
            )}
          </Field>
        )}
        <Field label="Show results as" note="Can be downloaded either way">
          {(ids) => (
            // The values of the options are those of `Values['view']`.
            <select
              {...ids}
              className="input"
              value={view}
              onChange={(event) => set({ view: event.target.value as Values['view'] })}
            >
              <option value="table">Table</option>
              <option value="image-files">Pictures written to /out</option>
              <option value="none">Not at all</option>
            </select>
          )}
        </Field>
      </div>
      {reactor ? null : (
        <details>
          <summary>Files every unit reads</summary>
          <DropFiles label="Choose or drop files for /in" multiple onFiles={(chosen) => set({ shared: chosen })} />
          {shared.map((file) => (
            <p key={file.path} className="mono small">
              /in/{file.path} ({bytes(file.content.length)})
            </p>
          ))}
        </details>
      )}
    </div>
  )
}

const AS_NOTES: Readonly<Record<InputAs, string>> = {
  args: 'argv[1]',
  stdin: 'Read from standard input, with a line end',
  file: 'A file under /in; its path is argv[1]',
}

function draftOf(module: Module | null, values: Values): DraftState {
  if (module === null) return { draft: null, why: 'Choose a program first' }
  const abi = module.report?.abi ?? null
  if (module.report === null) return { draft: null, why: 'The program was refused' }
  if (abi === null) return { draft: null, why: 'The program has neither _start nor the reactor’s functions' }
  try {
    const inputs = inputsOf(values, abi === 'reactor')
    const view: ResultView = { kind: values.view }
    const name = module.name.replace(/\.wasm$/, '')
    const sharedFiles = abi === 'reactor' ? [] : values.shared
    return {
      draft: { spec: { name, abi, module: module.content, inputs, sharedFiles, view }, origin: null, caption: name },
    }
  } catch (error) {
    return { draft: null, why: errorText(error) }
  }
}

function inputsOf(values: Values, reactor: boolean): UnitInput[] {
  const as = reactor ? 'stdin' : values.as
  switch (values.kind) {
    case 'range':
      return rangeInputs(values.from, values.to, as)
    case 'args':
      return argumentInputs(values.args)
    case 'jsonl':
      return jsonLineInputs(values.jsonl, as)
    case 'files':
      return fileInputs(values.files, as === 'args' ? 'file' : as)
  }
}
