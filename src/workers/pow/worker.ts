/** Entry of the pow worker in a browser. */
import { workerOwner } from '../relayed/owner.ts'
import type { MineRequest } from './contract.ts'
import { loadArgon2id } from './load.ts'
import { serveMiner } from './serve.ts'

const owner = workerOwner()
const kernel = await loadArgon2id()
const serve = serveMiner(kernel, (message) => owner.postMessage(message))
owner.addEventListener('message', (event: MessageEvent<MineRequest>) => serve(event.data))
