import { expose, proxy } from 'comlink'
import { connectRtc } from '../../net/rtc/worker.ts'
import { startBrowserPeer } from '../../node/browser-peer.ts'
import type { NodeApi } from '../../node/contract.ts'
import { installErrorTransfer } from '../error-transfer.ts'
import { connectWorkers } from '../relayed/connect.ts'
import type { NodeWorkerInit } from './contract.ts'

installErrorTransfer()

async function start(init: NodeWorkerInit, rtc: MessagePort, workers: MessagePort | null): Promise<NodeApi> {
  if (workers !== null) connectWorkers(workers)
  // Connected in the turn the port arrives: the window may answer at once.
  const provider = connectRtc(rtc)
  return proxy(await startBrowserPeer(init, provider))
}

expose({ start })
