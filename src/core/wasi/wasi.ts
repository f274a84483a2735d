import type { UnitFile } from '../tasks/unit.ts'
import { RIGHTS_ALL, RIGHTS_DIRECTORY, RIGHTS_INPUT, RIGHTS_OUTPUT } from './abi.ts'
import { Budget, type Charge } from './budget.ts'
import { VirtualClock } from './clock.ts'
import { DESCRIPTOR_CALLS } from './descriptor-calls.ts'
import { DescriptorTable } from './descriptors.ts'
import { Fault } from './fault.ts'
import { CALL_GAS } from './gas.ts'
import { GuestMemory } from './guest-memory.ts'
import type { Call, Host } from './host.ts'
import type { DirectoryNode, PipeNode, Volume } from './nodes.ts'
import { filesBelow } from './outcome-files.ts'
import { PATH_CALLS } from './path-calls.ts'
import { InputPipe, OutputPipe } from './pipes.ts'
import { POLL_CALLS } from './poll-calls.ts'
import { PROCESS_CALLS } from './process-calls.ts'
import { RandomStream } from './random.ts'
import { SOCKET_CALLS } from './socket-calls.ts'
import { TRANSFER_CALLS } from './transfer-calls.ts'
import { Tree } from './tree.ts'

/** What a preopened directory holds at first. */
export interface DirectoryInit {
  readonly files: readonly UnitFile[]
  /** Directories besides those that the files need, by path as in {@link UnitFile}. */
  readonly directories?: readonly string[]
  readonly readOnly?: boolean
}

/** A directory the program is given. */
export interface Preopen {
  /** The name under which it is given. */
  readonly path: string
  readonly directory: DirectoryInit
  /** Sets of rights as the interface numbers them, below bit 30. @default Everything a directory can have. */
  readonly rights?: { readonly base: number; readonly inheriting: number }
}

export interface WasiInit {
  /** From `argv[0]` on. */
  readonly args: readonly string[]
  readonly env: readonly (readonly [string, string])[]
  readonly stdin: Uint8Array
  /** Under `/in`, read-only. Neither copied nor modified. */
  readonly files: readonly UnitFile[]
  /** 32 bytes from which all randomness comes. */
  readonly seed: Uint8Array
  /** What the realtime clock says at the start, milliseconds since 1970. @default {@link START_TIME_MS} */
  readonly startTimeMs?: number
  readonly stdoutBytesMax: number
  readonly stderrBytesMax: number
  /** Bytes the program may keep in files, and may leave under `/out`. */
  readonly filesBytesMax: number
  /** Names the program may make: files, links and directories. */
  readonly filesMax: number
  /** Told the gas of each host call before it is done. Whatever it throws ends the call and passes through. */
  readonly charge?: Charge
  /** Instead of `/`, `/in`, `/out` and `/tmp`; `files` is not used then. The outcome's files are those of `/out`, if any. */
  readonly preopens?: readonly Preopen[]
}

/** A function a WebAssembly module can import. */
export type HostFunction = (...params: never[]) => number

export interface WasiOutput {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** Regular files left under `/out`, path relative to it, sorted by path in UTF-8 order. */
  readonly files: readonly UnitFile[]
}

export interface Wasi {
  readonly imports: { readonly wasi_snapshot_preview1: Readonly<Record<string, HostFunction>> }
  /** Tells where guest memory is: the instance's exported memory. Before, every pointer answers EFAULT. */
  bind(memory: { readonly buffer: ArrayBuffer }): void
  /** What the program has produced so far. @throws {@link OutputLimit} */
  outcome(): WasiOutput
}

/** 2020-01-01T00:00:00Z: recent enough for programs that doubt earlier clocks, and the same for everybody. */
export const START_TIME_MS = 1_577_836_800_000

const ENCODER = new TextEncoder()
const OUT = '/out'
const NAME = {
  root: ENCODER.encode('/'),
  in: ENCODER.encode('/in'),
  out: ENCODER.encode(OUT),
  tmp: ENCODER.encode('/tmp'),
}
const CALLS: readonly (readonly [string, Call])[] = Object.entries<Call>({
  ...PROCESS_CALLS,
  ...TRANSFER_CALLS,
  ...DESCRIPTOR_CALLS,
  ...PATH_CALLS,
  ...POLL_CALLS,
  ...SOCKET_CALLS,
})

/**
 * One program's `wasi_snapshot_preview1`, in memory and deterministic: what it answers depends on `init` and the calls made,
 * and on nothing else.
 *
 * The program is given `/` (descriptor 3, so that it is the working directory of every toolchain) with `/in` (the unit's
 * files), `/out` (what it leaves there is the unit's result) and `/tmp` (scratch) below it, and those three again as
 * descriptors 4 to 6. `/` and `/in` are read-only.
 *
 * A call throws nothing but {@link ProcExit}, {@link OutputLimit}, {@link HostFailure} and what `charge` throws; all else is
 * an errno.
 *
 * @example
 * const wasi = createWasi(init)
 * const instance = new WebAssembly.Instance(module, wasi.imports)
 * wasi.bind(instance.exports.memory)
 * instance.exports._start()
 * const { stdout, files } = wasi.outcome()
 */
export function createWasi(init: WasiInit): Wasi {
  const clock = new VirtualClock(init.startTimeMs ?? START_TIME_MS)
  const budget = new Budget({ bytesMax: init.filesBytesMax, entriesMax: init.filesMax, charge: init.charge })
  const tree = new Tree(budget, clock)
  const descriptors = new DescriptorTable(tree)
  const host: Host = {
    memory: new GuestMemory(),
    clock,
    random: new RandomStream(init.seed),
    budget,
    tree,
    descriptors,
    args: init.args,
    environ: init.env.map(([name, value]) => `${name}=${value}`),
  }
  const stdout = new OutputPipe('stdout', init.stdoutBytesMax)
  const stderr = new OutputPipe('stderr', init.stderrBytesMax)
  openPipes(host, { stdin: new InputPipe(init.stdin), stdout, stderr })
  const out = init.preopens === undefined ? openDefaults(host, init.files) : openPreopens(host, init.preopens)

  return {
    imports: { wasi_snapshot_preview1: functions(host) },
    bind: (memory) => host.memory.bind(memory),
    outcome: () => ({
      stdout: stdout.contents(),
      stderr: stderr.contents(),
      files: out === undefined ? [] : filesBelow(out, init.filesBytesMax),
    }),
  }
}

function functions(host: Host): Record<string, HostFunction> {
  const record: Record<string, HostFunction> = {}
  for (const [name, call] of CALLS) record[name] = guard(host, call)
  return record
}

/**
 * Makes an import of a call: pays for it, does it, and turns how it ended into an errno. No call has more than nine
 * parameters, and named ones cost less than a list at every call.
 */
function guard(host: Host, call: Call): HostFunction {
  const perform = call as (host: Host, ...params: unknown[]) => void
  return (
    a?: unknown,
    b?: unknown,
    c?: unknown,
    d?: unknown,
    e?: unknown,
    f?: unknown,
    g?: unknown,
    h?: unknown,
    i?: unknown,
  ) => {
    try {
      host.budget.spend(CALL_GAS)
      perform(host, a, b, c, d, e, f, g, h, i)
      return 0
    } catch (error) {
      if (error instanceof Fault) return error.errno
      throw error
    }
  }
}

const PIPES: Volume = { device: 0n, readOnly: false }

function openPipes(host: Host, pipes: { stdin: InputPipe; stdout: OutputPipe; stderr: OutputPipe }): void {
  const open = (node: PipeNode, rights: number) =>
    host.descriptors.open({ node, rights, inheriting: 0, flags: 0, offset: 0, preopen: null })
  open(host.tree.pipe(PIPES, pipes.stdin), RIGHTS_INPUT)
  open(host.tree.pipe(PIPES, pipes.stdout), RIGHTS_OUTPUT)
  open(host.tree.pipe(PIPES, pipes.stderr), RIGHTS_OUTPUT)
}

/** `/` with `/in`, `/out` and `/tmp`; returns `/out`. */
function openDefaults(host: Host, files: readonly UnitFile[]): DirectoryNode {
  const { tree } = host
  const fixed: Volume = { device: 1n, readOnly: true }
  const given: Volume = { device: 2n, readOnly: true }
  const own: Volume = { device: 3n, readOnly: false }
  const root = tree.top(fixed, null)
  const input = tree.top(given, root, () => tree.load(input, files))
  const output = tree.top(own, root)
  const scratch = tree.top(own, root)
  root.entries.set('in', input)
  root.entries.set('out', output)
  root.entries.set('tmp', scratch)
  openTop(host, NAME.root, root)
  openTop(host, NAME.in, input)
  openTop(host, NAME.out, output)
  openTop(host, NAME.tmp, scratch)
  return output
}

/** The given preopens, each a tree of its own; returns `/out` if it is among them. */
function openPreopens(host: Host, preopens: readonly Preopen[]): DirectoryNode | undefined {
  const volumes = {
    readOnly: { device: 1n, readOnly: true },
    writable: { device: 2n, readOnly: false },
  }
  let out: DirectoryNode | undefined
  for (const { path, directory, rights } of preopens) {
    const top = host.tree.top(directory.readOnly ? volumes.readOnly : volumes.writable, null)
    host.tree.load(top, directory.files)
    for (const name of directory.directories ?? []) {
      name.split('/').reduce((parent, part) => host.tree.loadDirectory(parent, part), top)
    }
    openTop(host, ENCODER.encode(path), top, rights)
    if (path === OUT) out = top
  }
  return out
}

function openTop(host: Host, name: Uint8Array, node: DirectoryNode, rights?: Preopen['rights']): void {
  host.descriptors.open({
    node,
    rights: rights?.base ?? RIGHTS_DIRECTORY,
    inheriting: rights?.inheriting ?? RIGHTS_ALL,
    flags: 0,
    offset: 0,
    preopen: name,
  })
}
