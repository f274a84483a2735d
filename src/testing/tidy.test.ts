import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Which layer may import which; the map of docs/ARCHITECTURE.md. A layer may always import itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  net: ['core'],
  storage: ['core'],
  workers: ['core'],
  node: ['core', 'net', 'storage', 'workers'],
  sdk: ['core', 'node'],
  ui: ['core', 'node', 'examples'],
  relay: ['core', 'net', 'storage', 'node', 'workers'],
  cli: ['core', 'net', 'storage', 'node', 'workers', 'relay', 'sdk', 'examples'],
}

/** Single edges that the layers alone would forbid, each with its reason. */
const ALLOWED_EDGES: Readonly<Record<string, string>> = {
  'src/workers/node/worker.ts -> src/node': 'the entry of the node worker is wiring',
  'src/workers/node/worker.ts -> src/net': 'the entry of the node worker is wiring',
  'src/workers/node/contract.ts -> src/node': 'the node worker offers the node’s contract (types only)',
  'src/ui/pages/learn/lab/lab-run.ts -> src/workers': 'the attack lab runs without a node, in a worker of the page',
}

/** Core packages: pure, and the same on every engine. */
const CORE_PACKAGES = /^(@bufbuild\/protobuf\/wire|multiformats(\/.*)?|valibot|@noble\/(ciphers|curves|hashes)(\/.*)?)$/

/** What the core must take through a port instead, with the port. */
const BANNED_IN_CORE: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\(|\bnew Date\(\)/, 'time comes in with the event (`nowMs`)'],
  [/\bMath\.random\(/, 'randomness comes from the `Rng` port'],
  [/\bset(Timeout|Interval)\(/, 'ask for a `wakeAt` effect'],
  [/\bperformance\./, 'time comes in with the event (`nowMs`)'],
  [/\bcrypto\.(subtle|getRandomValues)/, 'keys and randomness come through ports'],
  [/\bconsole\./, 'emit a notice'],
]

/** Statements at the start of a line, and dynamic imports. */
const IMPORT = /^(?:import '|(?:import|export|\}) ?.*\bfrom ')([^'\n]+)'|\bimport\('([^'\n]+)'\)/gm

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

function sources(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => {
      const path = relative(ROOT, join(entry.parentPath, entry.name))
      const text = readFileSync(join(ROOT, path), 'utf8')
      const imports = [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')
      return { path, text, imports }
    })
}

const isTest = ({ path }: Source): boolean => /\.test\.tsx?$/.test(path) || path.startsWith('src/testing/')
const layerOf = (path: string): string =>
  path.startsWith('src/') ? (path.split('/')[1] ?? '') : (path.split('/')[0] ?? '')
const product = sources('src').filter((source) => !isTest(source))

describe('tidy', () => {
  it('each layer imports only what it may', () => {
    const broken: string[] = []
    for (const { path, imports } of product) {
      const layer = layerOf(path)
      const may = MAY_IMPORT[layer]
      if (may === undefined) continue
      for (const target of imports.filter((each) => each.startsWith('.'))) {
        const to = layerOf(relative(ROOT, join(ROOT, dirname(path), target)))
        if (to !== layer && !may.includes(to) && ALLOWED_EDGES[`${path} -> src/${to}`] === undefined)
          broken.push(`${path} -> ${target}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('the core imports only pure packages', () => {
    const broken = product
      .filter(({ path }) => path.startsWith('src/core/'))
      .flatMap(({ path, imports }) =>
        imports
          .filter((each) => !each.startsWith('.') && !CORE_PACKAGES.test(each))
          .map((each) => `${path} -> ${each}`),
      )
    expect(broken).toEqual([])
  })

  it('the core has no clock, chance or timer of its own', () => {
    const broken: string[] = []
    for (const { path, text } of product.filter((source) => source.path.startsWith('src/core/'))) {
      const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      for (const [pattern, instead] of BANNED_IN_CORE)
        if (pattern.test(code)) broken.push(`${path}: ${pattern}: ${instead}`)
    }
    expect(broken).toEqual([])
  })

  it('what browsers load imports nothing that only Node has', () => {
    const browser = product.filter(({ path }) => /^src\/(core|net|storage|workers|node|ui|sdk)\//.test(path))
    const broken = browser
      .filter(({ path }) => !path.includes('.node.'))
      .flatMap(({ path, imports }) =>
        imports
          .filter((each) => each.startsWith('node:') || each.includes('.node.ts'))
          .map((each) => `${path} -> ${each}`),
      )
    expect(broken).toEqual([])
  })

  it('only tests import the testing folder', () => {
    const broken = product
      .filter(({ imports }) => imports.some((each) => each.includes('/testing/')))
      .map(({ path }) => path)
    expect(broken).toEqual([])
  })

  it('no FIXME is left, and no file is longer than a person reads', () => {
    const own = fileURLToPath(import.meta.url)
    const all = sources('src').filter(({ path }) => join(ROOT, path) !== own)
    expect(all.filter(({ text }) => /\bFIXME\b/.test(text)).map(({ path }) => path)).toEqual([])
    const long = all.filter(({ text }) => text.split('\n').length > 1_100).map(({ path }) => path)
    expect(long).toEqual([])
  })
})
