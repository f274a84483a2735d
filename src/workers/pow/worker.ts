/** Entry of the pow worker in a browser. */
import type { MineRequest } from './contract.ts'
import { loadArgon2id } from './load.ts'
import { serveMiner } from './serve.ts'

const kernel = await loadArgon2id()
const serve = serveMiner(kernel, (message) => postMessage(message))
addEventListener('message', (event: MessageEvent<MineRequest>) => serve(event.data))
