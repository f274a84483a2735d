/**
 * Goal: local training in a real tab, under the page's own policy. The fast engine is in use and agrees with the reference; the page is
 * not blocked; memory stays flat over 200 rounds; pictures are decoded in the worker.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COMMON_HEADERS } from '../src/relay/headers.ts'
import type { EngineInfo, LoadedDataset } from '../src/workers/training/contract.ts'
import { CHROMIUM_ARGUMENTS, chromiumPath, launchChromium } from './support/browsers.ts'
import { FIREFOX, postedBy } from './support/engines.ts'
import { type SandboxServer, serveSandboxPage } from './support/sandbox-server.ts'

const TIMEOUT_MS = 150_000
/** Weights, over a round of 50 steps. */
const AGREEMENT_MAX = 1e-4
/** From round 20, when all is compiled, to round 200. A leak of one weight vector a round would be 4.9 MB. */
const GROWTH_BYTES_MAX = 2_000_000

let server: SandboxServer
let browser: Browser

beforeAll(async () => {
  server = await serveSandboxPage(
    { '/page.js': 'e2e/pages/training.ts', '/training-worker.js': 'src/workers/training/worker.ts' },
    COMMON_HEADERS,
  )
  const digits = fileURLToPath(new URL('../src/workers/training/data/digits.bin', import.meta.url))
  server.set('/data/digits.bin', await readFile(digits))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

/** WebGPU in software: Chromium brings SwiftShader along, so no graphics card is needed. */
const WEBGPU_ARGUMENTS = [
  ...CHROMIUM_ARGUMENTS.filter((argument) => argument !== '--disable-gpu'),
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
]

interface Agreement {
  readonly engine: EngineInfo
  readonly kinds: readonly string[]
  readonly worst: number
  readonly lossFirst: number
  readonly lossLast: number
}

async function caseOf<T>(name: string, tabs: Pick<Browser, 'newPage'> = browser): Promise<T> {
  const page = await tabs.newPage()
  const refusals: string[] = []
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) refusals.push(message.text())
  })
  try {
    const result = server.result(TIMEOUT_MS)
    await page.goto(`${server.origin}/?case=${name}`)
    return checkedValue<T>(await result, refusals)
  } finally {
    await page.close()
  }
}

function checkedValue<T>(result: unknown, refusals: readonly string[]): T {
  const { value, error } = result as { readonly value: T; readonly error?: string }
  expect(error).toBeUndefined()
  expect(refusals).toEqual([])
  return value
}

function checkAgreement({ kinds, worst, lossFirst, lossLast }: Agreement, kind: string): void {
  expect(kinds).toEqual([kind, 'reference'])
  expect(worst).toBeLessThan(AGREEMENT_MAX)
  expect(lossLast).toBeLessThan(lossFirst / 2)
}

describe('training in a tab', () => {
  it('uses WebAssembly where there is no WebGPU, and agrees with the reference', async () => {
    const agreement = await caseOf<Agreement>('agreement')
    expect(agreement.engine).toEqual({ kind: 'wasm', reasons: ['webgpu is not there'] })
    checkAgreement(agreement, 'wasm')
  })

  it('uses WebGPU where there is one, and agrees with the reference', async () => {
    const gpu = await chromium.launch({ executablePath: chromiumPath(), args: WEBGPU_ARGUMENTS, headless: true })
    try {
      const agreement = await caseOf<Agreement>('agreement', gpu)
      expect(agreement.engine).toEqual({ kind: 'webgpu', reasons: [] })
      checkAgreement(agreement, 'webgpu')
    } finally {
      await gpu.close()
    }
  })

  it.runIf(FIREFOX.installed)('agrees with the reference in Firefox', async () => {
    const posted = await postedBy(FIREFOX, server, { timeoutMs: TIMEOUT_MS, query: '?case=agreement' })
    const agreement = checkedValue<Agreement>(posted, [])
    expect(agreement.engine.kind).toBe('wasm')
    checkAgreement(agreement, 'wasm')
  })

  it('keeps its memory over 200 rounds, and the page free', async () => {
    const result = await caseOf<{
      kind: string
      bytes: [number, number, number]
      accuracy: number
      longTasks: number[]
      durationMs: number
    }>('rounds')
    const { kind, bytes, accuracy, longTasks } = result
    expect(kind).toBe('wasm')
    expect(accuracy).toBeGreaterThan(0.9)
    expect(bytes[2] - bytes[0]).toBeLessThan(GROWTH_BYTES_MAX)
    // Other programs of the machine can hold the page up; training it would do so for seconds.
    expect(longTasks.reduce((sum, durationMs) => sum + durationMs, 0)).toBeLessThan(500)
  })

  it('decodes pictures in the worker, and refuses a file that is none', async () => {
    const { loaded, accuracy, label, refused } = await caseOf<{
      loaded: LoadedDataset
      accuracy: number
      label: string
      refused: unknown
    }>('pictures')
    expect(loaded).toMatchObject({
      training: 16,
      heldOut: 4,
      features: 16,
      labelNames: ['left', 'right'],
      perClass: [8, 8],
    })
    expect(accuracy).toBe(1)
    expect(label).toBe('right')
    expect(refused).toEqual({ name: 'InvalidDatasetError', message: 'Image 2 is no picture that this browser reads' })
  })
})
