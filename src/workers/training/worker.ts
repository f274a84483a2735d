/** Entry of the training worker in a browser. */
import { type Endpoint, expose } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import { workerOwner } from '../relayed/owner.ts'
import { browserPlatform } from './platform.browser.ts'
import { trainingPort } from './serve.ts'

installErrorTransfer()
// Comlink listens by functions alone.
expose(trainingPort(browserPlatform), workerOwner() as Endpoint)
