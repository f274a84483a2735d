/** Entry of the training worker in Node. */
import { parentPort } from 'node:worker_threads'
import { expose } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { invariant } from '../../core/codec/errors.ts'
import { installErrorTransfer } from '../error-transfer.ts'
import { nodePlatform } from './platform.node.ts'
import { trainingPort } from './serve.ts'

invariant(parentPort !== null, 'the entry runs in a worker')
installErrorTransfer()
expose(trainingPort(nodePlatform), nodeEndpoint(parentPort))
