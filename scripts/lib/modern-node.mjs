import { existsSync } from 'node:fs'
import { inRoot } from './root.mjs'

/** The first Node that runs TypeScript files as they are (type stripping without a flag); libp2p needs 22 anyway. */
const NODE_MIN = [22, 18]

/** @param {string} version such as `v24.1.0` */
export function isModern(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  if (major === 23) return minor >= 6
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

/** Whether the dependency `node` brought its binary: machines with an older Node run everything under it. */
export function packagedNode() {
  const path = inRoot('node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return existsSync(path) ? path : null
}

/**
 * The Node under which Starling itself runs: the packaged one (the version everything is tested with), else this one.
 *
 * @returns {string} Path of the executable.
 * @throws When neither can run it.
 */
export function modernNode() {
  const packaged = packagedNode()
  if (packaged !== null) return packaged
  if (isModern(process.version)) return process.execPath
  throw new Error(
    `Node ${process.version} cannot run Starling: ${NODE_MIN.join('.')} or newer is needed, and the npm package "node" ` +
      'that brings one has no binary here. Its install script may be switched off: try `npm rebuild node`',
  )
}
