/** Entry of the lab worker in Node. */
import { parentPort } from 'node:worker_threads'
import { nodePlatform } from './platform.node.ts'
import { serveLab } from './serve.ts'

const serve = serveLab(nodePlatform, (message) => parentPort?.postMessage(message))
parentPort?.on('message', serve)
