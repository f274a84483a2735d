/** Entry of the proof worker in a browser. */
import { workerOwner } from '../relayed/owner.ts'
import type { ProofRequest } from './contract.ts'
import { idbGenerators } from './idb-generators.ts'
import { loadEngine } from './load.ts'
import { serveProofs } from './serve.ts'

const owner = workerOwner()
// Requests may come before the kernel is there.
const early: ProofRequest[] = []
let serve = (request: ProofRequest): void => void early.push(request)
owner.addEventListener('message', (event: MessageEvent<ProofRequest>) => serve(event.data))
serve = await serveProofs(await loadEngine(), idbGenerators, (message) => owner.postMessage(message))
for (const request of early) serve(request)
