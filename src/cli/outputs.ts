import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import type { ResultItem } from '../node/contract.ts'
import { UsageError } from './errors.ts'
import type { Terminal } from './terminal.ts'

/** Where accepted results go. */
export interface Output {
  write(item: ResultItem): Promise<void>
  /** Keeps the evidence beside the results, where there is a place for it. */
  receipts(bytes: Uint8Array): void
}

/** What one result is as a line of JSON; bytes that are no text as base64. */
export function resultJson({ unit, outcome, executor, agreeing }: ResultItem): Record<string, unknown> {
  const { exitCode, trap, stdout, stderr, files } = outcome
  return {
    unit,
    exitCode,
    ...(trap !== null && { trap }),
    stdout: textOrBase64(stdout),
    ...(stderr.length > 0 && { stderr: textOrBase64(stderr) }),
    ...(files.length > 0 && {
      files: Object.fromEntries(files.map(({ path, content }) => [path, textOrBase64(content)])),
    }),
    executor,
    agreeing,
  }
}

function textOrBase64(bytes: Uint8Array): string | { base64: string } {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}

/** Standard output: what the units wrote, one after the other, or a line of JSON for each. */
export function pipeOutput(terminal: Terminal): Output {
  return {
    write: async (item) => {
      if (terminal.json) await terminal.writeJson(resultJson(item))
      else await terminal.write(item.outcome.stdout)
    },
    receipts: () => undefined,
  }
}

/**
 * A folder: `000012.stdout`, `000012.stderr` when there is any, the unit's files below `000012/`, all results as lines of `results.jsonl`,
 * and the signed receipts in `receipts.cbor`.
 *
 * @throws {@link UsageError} When the folder cannot be made.
 */
export function folderOutput(folder: string, units: number): Output {
  try {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'results.jsonl'), '')
  } catch (error) {
    throw new UsageError(`--out is ${folder}, which cannot be written: ${(error as Error).message}`, {
      field: '--out',
      value: folder,
    })
  }
  const digits = Math.max(6, String(units - 1).length)
  return {
    write: async (item) => {
      const name = String(item.unit).padStart(digits, '0')
      const { stdout, stderr, files } = item.outcome
      writeFileSync(join(folder, `${name}.stdout`), stdout)
      if (stderr.length > 0) writeFileSync(join(folder, `${name}.stderr`), stderr)
      for (const { path, content } of files) {
        const target = resolve(folder, name, path)
        // Outcomes were checked when they came; a path that leaves the folder must still never be written.
        if (!target.startsWith(resolve(folder, name) + sep)) continue
        mkdirSync(dirname(target), { recursive: true })
        writeFileSync(target, content)
      }
      const { stdout: _stdout, files: _files, ...line } = resultJson(item)
      const row = { ...line, stdoutBytes: stdout.length, files: files.map((file) => `${name}/${file.path}`) }
      writeFileSync(join(folder, 'results.jsonl'), `${JSON.stringify(row)}\n`, { flag: 'a' })
    },
    receipts: (bytes) => writeFileSync(join(folder, 'receipts.cbor'), bytes),
  }
}
