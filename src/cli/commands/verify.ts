import { JobFailedError, UsageError } from '../errors.ts'
import { verdictsOf } from '../evidence.ts'
import type { Context } from './context.ts'
import { readFile } from './run.ts'

/**
 * `starling verify RECEIPT…`: checks receipts from their bytes alone, without a network.
 *
 * @throws {@link JobFailedError} When one is not valid.
 */
export async function verifyCommand(paths: readonly string[], { terminal }: Context): Promise<void> {
  let valid = 0
  let invalid = 0
  for (const path of paths) {
    const bytes = readFile(path, 'RECEIPT')
    if (bytes.length === 0)
      throw new UsageError(`RECEIPT is ${path}: the file is empty`, { field: 'RECEIPT', value: path })
    let number = 0
    for await (const verdict of verdictsOf(bytes)) {
      number++
      if (verdict.valid) valid++
      else invalid++
      const where = `${path}, receipt ${number}`
      if (terminal.json) await terminal.writeJson({ file: path, number, ...verdict })
      else if (!verdict.valid) await terminal.write(`${where}: NOT VALID, ${verdict.error}\n`)
      else {
        const { executor, attesters, receipt } = verdict
        const how = receipt.success ? 'success' : (receipt.trap ?? `exit code ${receipt.exitCode}`)
        await terminal.write(
          `${where}: valid, unit ${receipt.unit} by ${executor}, ${how}, ${attesters.length} attested\n`,
        )
      }
    }
  }
  terminal.say(`${valid} valid, ${invalid} not`)
  if (invalid > 0) throw new JobFailedError(`${invalid} of ${valid + invalid} receipts are not valid`, { invalid })
}
