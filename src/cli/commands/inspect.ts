import { prepareModule } from '../../core/sandbox/prepare.ts'
import { verdictsOf } from '../evidence.ts'
import type { Context } from './context.ts'
import { readFile } from './run.ts'

/** `\0asm`: how every WebAssembly binary begins. */
const WASM_MAGIC = [0x00, 0x61, 0x73, 0x6d]
const PAGE_KIB = 64

/** `starling inspect FILE`: what a module is and asks for, or what a receipt says. */
export async function inspectCommand(path: string, { terminal }: Context): Promise<void> {
  const bytes = readFile(path, 'FILE')
  if (!WASM_MAGIC.every((byte, i) => bytes[i] === byte)) return await inspectReceipts(bytes, terminal)
  const started = performance.now()
  const { report } = prepareModule(bytes)
  const prepareMs = performance.now() - started
  if (terminal.json) return await terminal.writeJson({ ...report, prepareMs: Math.round(prepareMs * 10) / 10 })
  const imports = report.imports.map(({ module, name }) => `${module}.${name}`)
  const rows = [
    ['kind', report.abi === null ? 'no job can run it: it exports neither _start nor starling_run' : report.abi],
    ['size', `${report.bytes} bytes, ${report.preparedBytes} with gas metering (made in ${prepareMs.toFixed(1)} ms)`],
    ['functions', String(report.functions)],
    ['memory', `${report.memoryPagesMin * PAGE_KIB} KiB at the start, at most ${report.memoryPagesMax * PAGE_KIB} KiB`],
    ['imports', imports.length === 0 ? 'none' : imports.join(', ')],
    ['exports', report.exports.join(', ')],
    [
      'features',
      report.features.length === 0 ? 'none beyond the first version of WebAssembly' : report.features.join(', '),
    ],
  ]
  for (const [name = '', value = ''] of rows) await terminal.write(`${name.padEnd(10)} ${value}\n`)
}

async function inspectReceipts(bytes: Uint8Array, terminal: Context['terminal']): Promise<void> {
  for await (const verdict of verdictsOf(bytes)) {
    if (terminal.json) {
      await terminal.writeJson(verdict)
      continue
    }
    if (!verdict.valid) {
      await terminal.write(`not a module, and not a valid receipt: ${verdict.error}\n`)
      continue
    }
    const rows = Object.entries({ network: verdict.network, executor: verdict.executor, ...verdict.receipt })
    for (const [name, value] of rows) await terminal.write(`${name.padEnd(16)} ${value}\n`)
    await terminal.write(`${'attested by'.padEnd(16)} ${verdict.attesters.join(', ') || 'nobody'}\n\n`)
  }
}
