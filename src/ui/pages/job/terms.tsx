import { memo } from 'react'
import type { JobDetail } from '../../../node/contract.ts'
import { bytes, count, duration, money, percent, plural, shortId } from '../../format/number.ts'
import { Panel } from '../../parts/panel.tsx'
import { Fact } from './receipt-card.tsx'
import './unit-sheet.css'

const PPM = 1_000_000

/** What was asked for: the manifest, in words. */
export const Terms = memo(
  function Terms({ job }: { readonly job: JobDetail }) {
    const { options } = job
    return (
      <Panel title="Terms">
        <dl className="facts small">
          <Fact term="Each unit runs">{plural(options.replicas, 'time')}</Fact>
          <Fact term="Must agree">{count(options.quorum)}</Fact>
          <Fact term="Recomputed here">{percent(options.auditPpm / PPM)}</Fact>
          <Fact term="Own cores">{options.useOwnWorkers ? 'help' : 'do not help'}</Fact>
          <Fact term="Time limit">{duration(options.wallMsMax)}</Fact>
          <Fact term="Memory limit">{bytes(options.memoryBytesMax)}</Fact>
          <Fact term="Gas limit">{count(Number(options.gasMax))}</Fact>
          <Fact term="Price">
            {money(options.pricePerSecondMicro)}/s, {money(options.pricePerMebibyteMicro)}/MiB
          </Fact>
          <Fact term="ABI">{job.abi === 'reactor' ? 'Reactor' : 'WASI command'}</Fact>
          <Fact term="Manifest">
            <code title={job.manifestHash}>{shortId(job.manifestHash)}</code>
          </Fact>
          <Fact term="Module">
            <code title={job.module}>{shortId(job.module)}</code>
          </Fact>
        </dl>
      </Panel>
    )
  },
  // A manifest never changes.
  (last, next) => last.job.manifestHash === next.job.manifestHash,
)
