import { FILETYPE, FSTFLAG, FSTFLAGS_ALL, RECORD_BYTES } from './abi.ts'
import { fail } from './fault.ts'
import type { Host } from './host.ts'
import type { OpenNode, TreeNode } from './nodes.ts'

/** Writes the `filestat` record of a node. */
export function writeFilestat(host: Host, result: number, node: OpenNode | TreeNode): void {
  const { memory } = host
  const at = memory.check(result, RECORD_BYTES.filestat)
  memory.setU64(at, node.volume.device)
  memory.setU64(at + 8, node.inode)
  // The type and the padding after it.
  memory.setU64(at + 16, BigInt(node.filetype))
  memory.setU64(at + 24, BigInt(linkCount(node)))
  memory.setU64(at + 32, BigInt(size(node)))
  memory.setU64(at + 40, node.accessedNs)
  memory.setU64(at + 48, node.modifiedNs)
  memory.setU64(at + 56, node.changedNs)
}

/** As usual on Unix, `.` and the `..` of its children count as names of a directory. */
function linkCount(node: OpenNode | TreeNode): number {
  if (node.filetype !== FILETYPE.directory || node.links === 0) return node.links
  return 2 + node.entries.directoryCount
}

function size(node: OpenNode | TreeNode): number {
  switch (node.filetype) {
    case FILETYPE.regularFile:
      return node.content.size
    case FILETYPE.symbolicLink:
      return node.targetBytes
    default:
      return 0
  }
}

/** Sets what `flags` name of a node's times. @throws EINVAL for a flag unknown or at odds with another; EROFS. */
export function setTimes(
  host: Host,
  node: OpenNode | TreeNode,
  times: { accessedNs: bigint; modifiedNs: bigint; flags: number },
): void {
  if (node.volume.readOnly) fail('rofs')
  const { flags } = times
  const now = host.clock.stamp()
  const has = (flag: number) => (flags & flag) !== 0
  if (has(FSTFLAG.atimNow)) node.accessedNs = now
  else if (has(FSTFLAG.atim)) node.accessedNs = BigInt.asUintN(64, times.accessedNs)
  if (has(FSTFLAG.mtimNow)) node.modifiedNs = now
  else if (has(FSTFLAG.mtim)) node.modifiedNs = BigInt.asUintN(64, times.modifiedNs)
  node.changedNs = now
}

/** @throws EINVAL for an unknown flag, and for a time both given and `now`. */
export function checkTimeFlags(flags: number): void {
  const { atim, atimNow, mtim, mtimNow } = FSTFLAG
  const both = (set: number) => (flags & set) === set
  if ((flags & ~FSTFLAGS_ALL) !== 0 || both(atim | atimNow) || both(mtim | mtimNow)) fail('inval')
}
