import type { UnitFile } from '../tasks/unit.ts'
import { FILETYPE } from './abi.ts'
import { OutputLimit } from './errors.ts'
import { PATH_BYTES_MAX } from './limits.ts'
import type { DirectoryNode } from './nodes.ts'

const ENCODER = new TextEncoder()

/**
 * Copies of all regular files below a directory, sorted by path in UTF-8 order. A file with two names is there twice;
 * symbolic links and empty directories are not, as an outcome has no place for them.
 *
 * @param bytesMax - Bytes the files may have together; links could multiply what the file system held.
 * @throws {@link OutputLimit} For more bytes, or a path longer than a call could name.
 */
export function filesBelow(top: DirectoryNode, bytesMax: number): UnitFile[] {
  const found: (UnitFile & { readonly key: Uint8Array })[] = []
  let total = 0
  // A list instead of recursion: a program can nest directories deeper than any stack.
  const pending: { directory: DirectoryNode; prefix: string }[] = [{ directory: top, prefix: '' }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const { name, node } of next.directory.entries.after(0)) {
      if (node.filetype === FILETYPE.symbolicLink) continue
      const path = next.prefix + name
      const key = ENCODER.encode(path)
      if (key.length > PATH_BYTES_MAX) throw new OutputLimit('path', key.length, PATH_BYTES_MAX)
      if (node.filetype === FILETYPE.directory) {
        pending.push({ directory: node, prefix: `${path}/` })
        continue
      }
      total += node.content.size
      if (total > bytesMax) throw new OutputLimit('files', total, bytesMax)
      found.push({ path, content: node.content.read(0, node.content.size).slice(), key })
    }
  }
  found.sort((a, b) => compareBytes(a.key, b.key))
  return found.map(({ path, content }) => ({ path, content }))
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    // Both in range: `i` lies below either length.
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}
