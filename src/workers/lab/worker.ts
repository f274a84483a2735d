/** Entry of the lab worker in a browser. */
import type { LabRequest } from './contract.ts'
import { browserPlatform } from './platform.browser.ts'
import { serveLab } from './serve.ts'

const serve = serveLab(browserPlatform, (message) => postMessage(message))
addEventListener('message', (event: MessageEvent<LabRequest>) => serve(event.data))
