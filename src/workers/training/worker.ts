/** Entry of the training worker in a browser. */
import { expose } from 'comlink'
import { installErrorTransfer } from '../error-transfer.ts'
import { browserPlatform } from './platform.browser.ts'
import { trainingPort } from './serve.ts'

installErrorTransfer()
expose(trainingPort(browserPlatform))
