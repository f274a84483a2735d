import { workerOwner } from '../../src/workers/relayed/owner.ts'

const owner = workerOwner()
owner.addEventListener('message', (event) => owner.postMessage(event.data))
