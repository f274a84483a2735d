import type { Budget } from './budget.ts'
import type { VirtualClock } from './clock.ts'
import type { DescriptorTable } from './descriptors.ts'
import type { GuestMemory } from './guest-memory.ts'
import type { RandomStream } from './random.ts'
import type { Tree } from './tree.ts'

/** Everything the calls of one instance work on. Nothing of it is shared with another instance. */
export interface Host {
  readonly memory: GuestMemory
  readonly clock: VirtualClock
  readonly random: RandomStream
  readonly budget: Budget
  readonly tree: Tree
  readonly descriptors: DescriptorTable
  readonly args: readonly string[]
  /** `NAME=value`. */
  readonly environ: readonly string[]
}

/**
 * One call of the interface: parameters as WebAssembly passes them (`i32` a signed number, `i64` a signed bigint, pointers
 * signed), results written to guest memory. It ends normally for success, and by a `Fault` for an errno.
 */
export type Call = (host: Host, ...params: never[]) => void
