import type { NodeApi, ResultItem } from '../../../node/contract.ts'
import { asText, base64 } from '../../format/output.ts'
import { RESULTS_BATCH } from '../../limits.ts'

/** The part of the File System Access API used here; not in every browser, nor in TypeScript's library. */
interface DirectoryHandle {
  getDirectoryHandle(name: string, options: { create: true }): Promise<DirectoryHandle>
  getFileHandle(
    name: string,
    options: { create: true },
  ): Promise<{
    createWritable(): Promise<{ write(data: BufferSource): Promise<void>; close(): Promise<void> }>
  }>
}
type PickDirectory = (options: { mode: 'readwrite' }) => Promise<DirectoryHandle>

const pickDirectory = (globalThis as { showDirectoryPicker?: PickDirectory }).showDirectoryPicker

export const CAN_SAVE_FOLDERS = pickDirectory !== undefined

/** How long a download may take to start reading its blob. */
const REVOKE_MS = 60_000

export function saveBlob(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS)
}

export function saveBytes(name: string, bytes: Uint8Array): void {
  // Bytes that came through a message are never shared memory.
  saveBlob(name, new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'application/octet-stream' }))
}

/** One JSON object a line: outputs as text where they are text, else base64. */
export async function saveResultsAsJsonLines(node: NodeApi, jobId: string, name: string): Promise<number> {
  const parts: string[] = []
  const saved = await forEachResult(node, jobId, (item) => void parts.push(`${JSON.stringify(plainResult(item))}\n`))
  saveBlob(`${fileName(name)}.jsonl`, new Blob(parts, { type: 'application/jsonl' }))
  return saved
}

/** `unit-12/stdout`, `unit-12/out/…` for every unit, below a folder that the person chooses. */
export async function saveResultsToFolder(node: NodeApi, jobId: string): Promise<number> {
  if (pickDirectory === undefined) throw new Error('This browser cannot save to a folder; save as JSON lines instead')
  const folder = await pickDirectory({ mode: 'readwrite' })
  return forEachResult(node, jobId, async ({ unit, outcome }) => {
    const unitFolder = await folder.getDirectoryHandle(`unit-${unit}`, { create: true })
    await writeFile(unitFolder, 'stdout', outcome.stdout)
    if (outcome.stderr.length > 0) await writeFile(unitFolder, 'stderr', outcome.stderr)
    for (const file of outcome.files) await writeFile(unitFolder, `out/${file.path}`, file.content)
  })
}

export async function saveReceipts(node: NodeApi, jobId: string, name: string): Promise<void> {
  saveBytes(`${fileName(name)}-receipts.cbor`, await node.exportReceipts(jobId))
}

export async function savePicture(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (blob === null) throw new Error('The picture could not be made into a PNG; it may be too large for this browser')
  saveBlob(`${fileName(name)}.png`, blob)
}

/** A name any file system takes. */
export function fileName(name: string): string {
  const safe = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return safe.replaceAll(/^-|-$/g, '').slice(0, 64) || 'job'
}

export function plainResult({ unit, outcome, executor, agreeing }: ResultItem): object {
  const { exitCode, trap, stdout, stderr, files } = outcome
  return {
    unit,
    exitCode,
    trap,
    ...plainBytes('stdout', stdout),
    ...plainBytes('stderr', stderr),
    files: files.map((file) => ({ path: file.path, base64: base64(file.content) })),
    executor,
    agreeing,
  }
}

function plainBytes(name: string, bytes: Uint8Array): Record<string, string> {
  const text = asText(bytes)
  return text === null ? { [`${name}Base64`]: base64(bytes) } : { [name]: text }
}

async function forEachResult(
  node: NodeApi,
  jobId: string,
  take: (item: ResultItem) => void | Promise<void>,
): Promise<number> {
  let cursor = 0
  for (;;) {
    const items = await node.results(jobId, cursor, RESULTS_BATCH)
    for (const item of items) await take(item)
    cursor += items.length
    // The node may hand out fewer than asked for when they are large; only none means the end.
    if (items.length === 0) return cursor
  }
}

async function writeFile(folder: DirectoryHandle, path: string, bytes: Uint8Array): Promise<void> {
  const [name = 'file', ...above] = path.split('/').reverse()
  let at = folder
  for (const part of above.reverse()) at = await at.getDirectoryHandle(part, { create: true })
  const file = await (await at.getFileHandle(name, { create: true })).createWritable()
  await file.write(bytes as Uint8Array<ArrayBuffer>)
  await file.close()
}
