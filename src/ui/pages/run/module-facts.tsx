import type { ModuleReport } from '../../../core/sandbox/module.ts'
import { bytes, count } from '../../format/number.ts'
import { Notice } from '../../parts/panel.tsx'
import { Fact } from '../job/receipt-card.tsx'
import '../job/unit-sheet.css'

const PAGE_BYTES = 65_536
const NAMES_SHOWN = 12

/** What the program is and may use, as every peer will see it. */
export function ModuleFacts({ name, report }: { readonly name: string; readonly report: ModuleReport }) {
  const { abi, imports, features } = report
  return (
    <div className="stack">
      <dl className="facts small">
        <Fact term="Program">{name}</Fact>
        <Fact term="Size">
          {bytes(report.bytes)}, {bytes(report.preparedBytes)} with its meter
        </Fact>
        <Fact term="Kind">{abi === null ? 'unknown' : abi === 'reactor' ? 'Reactor' : 'WASI command'}</Fact>
        <Fact term="Functions">{count(report.functions)}</Fact>
        <Fact term="Memory">
          {bytes(report.memoryPagesMin * PAGE_BYTES)} at start, {bytes(report.memoryPagesMax * PAGE_BYTES)} at most
        </Fact>
        <Fact term="Asks the host for">
          {imports.length === 0 ? 'nothing' : names(imports.map((each) => each.name))}
        </Fact>
        <Fact term="Uses">{features.length === 0 ? 'the core of WebAssembly' : names(features)}</Fact>
      </dl>
      {abi === null ? (
        <Notice tone="warning" title="It cannot be run as a job">
          A WASI command exports <code>_start</code>; a reactor exports <code>starling_alloc</code> and{' '}
          <code>starling_run</code>. This program exports {names(report.exports) || 'nothing'}.
        </Notice>
      ) : null}
    </div>
  )
}

function names(all: readonly string[]): string {
  const shown = all.slice(0, NAMES_SHOWN).join(', ')
  return all.length > NAMES_SHOWN ? `${shown} and ${all.length - NAMES_SHOWN} more` : shown
}
