import { BadgeCheck, CircleX } from 'lucide-react'
import { useState } from 'react'
import type { ReceiptInfo, ReceiptVerdict } from '../../../node/contract.ts'
import { bytes, duration, gas, money, plural, shortId } from '../../format/number.ts'
import { TRAP_WORDS } from '../../format/output.ts'
import { Button } from '../../parts/button.tsx'
import { Peer } from '../../parts/peer.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { act } from '../../parts/toasts.tsx'
import { useNode } from '../../state/node-context.ts'
import { saveBytes } from './downloads.ts'

/** What one executor signed, and whether the signature holds. */
export function ReceiptCard({ receipt }: { readonly receipt: ReceiptInfo }) {
  const node = useNode()
  const [verdict, setVerdict] = useState<ReceiptVerdict | null>(null)
  const verify = (): void => act('Verifying', async () => setVerdict(await node.verifyReceipt(receipt.bytes)))
  const ended = receipt.trap === null ? `exit code ${receipt.exitCode}` : TRAP_WORDS[receipt.trap]
  return (
    <article className="receipt">
      <header className="row spread">
        <Peer peerId={receipt.executor} />
        <span className={receipt.agrees ? 'quiet small' : 'receipt-differs small'}>
          {receipt.agrees ? 'agrees' : 'differs'}
        </span>
      </header>
      <dl className="facts small">
        <Fact term="Ended">{ended}</Fact>
        <Fact term="Work">{gas(receipt.gas)}</Fact>
        <Fact term="Time">
          {duration(receipt.durationMs)}, <RelativeTime at={receipt.startedAt} />
        </Fact>
        <Fact term="Memory">{bytes(receipt.memoryBytesPeak)}</Fact>
        <Fact term="Cost">{money(receipt.costMicro)}</Fact>
        <Fact term="Output hash">
          <code title={receipt.outputHash}>{shortId(receipt.outputHash)}</code>
        </Fact>
        <Fact term="Countersigned by">
          {receipt.attestations.length === 0 ? 'nobody' : plural(receipt.attestations.length, 'other executor')}
        </Fact>
      </dl>
      <div className="row row-wrap">
        <Button onClick={verify}>Verify signature</Button>
        <Button look="quiet" onClick={() => saveBytes(`receipt-${receipt.unit}.cbor`, receipt.bytes)}>
          Save receipt
        </Button>
        <span aria-live="polite" className="small">
          {verdict === null ? null : <Verdict verdict={verdict} />}
        </span>
      </div>
    </article>
  )
}

function Verdict({ verdict }: { readonly verdict: ReceiptVerdict }) {
  return verdict.valid ? (
    <span className="row verdict-good">
      <BadgeCheck aria-hidden="true" /> Signature holds
    </span>
  ) : (
    <span className="row verdict-bad">
      <CircleX aria-hidden="true" /> {verdict.error}
    </span>
  )
}

export function Fact({ term, children }: { readonly term: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  )
}
