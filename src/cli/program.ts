import { Command, Option } from 'commander'
import { POLICY_KINDS, type PolicyKind } from '../core/admission/policy.ts'
import { LOCAL_STEPS_MAX, MEMBERS_MAX, PARTICIPANTS_MIN, PEERS_MAX, ROUNDS_MAX } from '../core/learning/limits.ts'
import type { RuleName } from '../core/learning/rules.ts'
import { GAS_MAX, MEMORY_BYTES_MAX, PPM, PRIORITY_MAX, REPLICAS_MAX, WALL_MS_MAX } from '../core/tasks/limits.ts'
import type { JobOptions } from '../node/contract.ts'
import { VERSION } from '../node/version.ts'
import { type Context, DEFAULT_PORT, DEFAULT_RELAY, defaultDataDir } from './commands/context.ts'
import { EXIT_CODE_HELP } from './exit-codes.ts'
import { INPUT_AS, type InputAs } from './inputs.ts'
import { EXECUTOR_WAIT_SECONDS, TABS_MAX } from './limits.ts'
import { bigWhole, bytes, collect, decimal, httpUrl, whole } from './option-parsers.ts'

const PORT_MAX = 65_535
const DAY_SECONDS = 86_400

/** Makes what a command runs in, once its options are known. */
export type MakeContext = (options: { readonly json?: boolean; readonly quiet?: boolean }) => Context

interface ServerFlags {
  readonly port: number
  readonly host?: string
  readonly dataDir?: string
  readonly name?: string
  readonly policy?: PolicyKind
  readonly member: string[]
  readonly publicUrl?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/**
 * The command line. Each command loads its own code, so that `--help` and `verify` do not wait for libp2p.
 */
export function createProgram(makeContext: MakeContext): Command {
  const program = new Command('starling')
    .description('A room of browsers computes: start a room, lend to one, or give it work.')
    .version(VERSION)
    .addHelpText('after', EXIT_CODE_HELP)
    .showHelpAfterError('(--help lists the options)')
    .configureHelp({ sortSubcommands: false })
  addStart(program, makeContext)
  addRelay(program, makeContext)
  addInvite(program, makeContext)
  addPeer(program, makeContext)
  addRun(program, makeContext)
  addSwarm(program, makeContext)
  addInspect(program, makeContext)
  addVerify(program, makeContext)
  addId(program, makeContext)
  addTrust(program, makeContext)
  addLearn(program, makeContext)
  return program
}

function withOutput(command: Command): Command {
  return command
    .option('--json', 'print results as JSON, one value a line')
    .option('-q, --quiet', 'no progress, only results and errors')
}

function withServer(command: Command): Command {
  return command
    .option('--port <number>', 'first port to try', whole(0, PORT_MAX), DEFAULT_PORT)
    .option('--data-dir <folder>', `where keys are kept (default: ${defaultDataDir('relay')})`)
    .option('--name <text>', 'shown to those who join')
    .addOption(
      new Option('--policy <kind>', 'of a new network: who is let in (default: room)').choices([...POLICY_KINDS]),
    )
    .option('--member <root>', 'of a new network of members; may be repeated', collect, [])
    .option('--public-url <url>', 'the address when something in front ends TLS', httpUrl)
    .addOption(new Option('--tls-cert <file>', 'PEM certificate that browsers trust').argParser(String))
    .addOption(new Option('--tls-key <file>', 'its PEM key').argParser(String))
}

function serverOptions(flags: ServerFlags, command: Command) {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    command.error('error: --tls-cert and --tls-key go together', { exitCode: 2 })
  }
  return {
    port: flags.port,
    host: flags.host ?? '0.0.0.0',
    dataDir: flags.dataDir ?? defaultDataDir('relay'),
    ...(flags.policy !== undefined && { policy: flags.policy }),
    ...(flags.member.length > 0 && { members: flags.member }),
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.publicUrl !== undefined && { publicUrl: flags.publicUrl }),
    ...(flags.tlsCert !== undefined && { tlsCert: flags.tlsCert }),
    ...(flags.tlsKey !== undefined && { tlsKey: flags.tlsKey }),
  }
}

const HOST_HELP = 'address to listen on; 127.0.0.1 keeps the room on this machine (default: every address)'

function addStart(program: Command, makeContext: MakeContext): void {
  withOutput(
    withServer(program.command('start').description('start a room: relay, page, local peers, and a first job')),
  )
    .option('--host <address>', HOST_HELP)
    .option('--peers <number>', 'headless local tabs', whole(0, TABS_MAX), 3)
    .option('--no-peers', 'no local tabs')
    .option('--once', 'end after the first job')
    .option('--open', "open the page in this machine's browser")
    .action(
      async (
        flags: ServerFlags & { peers: number | false; once?: boolean; open?: boolean; json?: boolean; quiet?: boolean },
        command: Command,
      ) => {
        const { startCommand } = await import('./commands/start.ts')
        const once = flags.once ?? false
        const options = serverOptions(flags, command)
        await startCommand(
          {
            ...options,
            // A run that ends by itself serves this machine alone, and leaves nothing behind.
            host: flags.host ?? (once ? '127.0.0.1' : '0.0.0.0'),
            dataDir: once && flags.dataDir === undefined ? null : options.dataDir,
            peers: flags.peers === false ? 0 : flags.peers,
            once,
            open: flags.open ?? false,
          },
          makeContext(flags),
        )
      },
    )
}

function addRelay(program: Command, makeContext: MakeContext): void {
  withOutput(withServer(program.command('relay').description('start a relay and serve the page, without local peers')))
    .option('--host <address>', HOST_HELP)
    .action(async (flags: ServerFlags & { json?: boolean; quiet?: boolean }, command: Command) => {
      const { relayCommand } = await import('./commands/relay.ts')
      await relayCommand(serverOptions(flags, command), makeContext(flags))
    })
}

function addInvite(program: Command, makeContext: MakeContext): void {
  withOutput(
    withRelay(program.command('invite').description("print a link that lets somebody into this machine's network")),
  )
    .argument('[root]', 'whom to invite to a network of members: the root id that their Identity page shows')
    .option('--days <number>', 'how long the invitation to a network of members is good', whole(1, 366), 30)
    .option('--data-dir <folder>', `the relay's (default: ${defaultDataDir('relay')})`)
    .action(
      async (root: string | undefined, flags: { relay: string; days: number; dataDir?: string; json?: boolean }) => {
        const { inviteCommand } = await import('./commands/invite.ts')
        const { relay, days, dataDir = defaultDataDir('relay') } = flags
        await inviteCommand({ relay, days, dataDir, root: root ?? null }, makeContext(flags))
      },
    )
}

function withRelay(command: Command): Command {
  return command.addOption(
    new Option('--relay <url>', "the room's link, or the address of its page")
      .env('STARLING_RELAY')
      .default(DEFAULT_RELAY)
      .argParser(httpUrl),
  )
}

interface PeerFlags {
  readonly relay: string
  readonly dataDir?: string
  readonly workers?: number
  readonly cpuShare: number
  readonly metricsPort: number
  readonly verbose?: boolean
  readonly json?: boolean
}

function addPeer(program: Command, makeContext: MakeContext): void {
  withOutput(withRelay(program.command('peer').description('lend this machine to a room, without a browser')))
    .option('--workers <number>', 'units computed at once (default: half of the cores)', whole(1, 64))
    .option('--cpu-share <share>', "part of each worker's time that is lent", decimal(0.1, 1), 1)
    .option('--data-dir <folder>', `where key and results are kept, or :memory: (default: ${defaultDataDir('peer')})`)
    .option('--metrics-port <number>', 'serve Prometheus metrics on this port of the loopback', whole(0, PORT_MAX), 0)
    .option('--verbose', 'show the whole log')
    .action(async (flags: PeerFlags) => {
      const { peerCommand } = await import('./commands/peer.ts')
      const { relay, workers, cpuShare, metricsPort, verbose = false } = flags
      const dataDir = flags.dataDir ?? defaultDataDir('peer')
      const options = { relay, cpuShare, metricsPort, verbose, dataDir }
      await peerCommand({ ...options, ...(workers !== undefined && { workers }) }, makeContext(flags))
    })
}

interface RunFlags {
  readonly relay: string
  readonly inputs: string
  readonly inputAs: InputAs
  readonly lines?: boolean
  readonly out: string
  readonly unordered?: boolean
  readonly name?: string
  readonly file: string[]
  readonly replicas?: number
  readonly quorum?: number
  readonly audit?: number
  readonly own?: boolean
  readonly memory?: number
  readonly time?: number
  readonly gas?: bigint
  readonly priority?: number
  readonly wait: number
  readonly dataDir: string
  readonly json?: boolean
}

function addRun(program: Command, makeContext: MakeContext): void {
  withOutput(
    withRelay(
      program.command('run').description('give a WebAssembly job to a room').argument('<module>', 'a .wasm file'),
    ),
  )
    .requiredOption('--inputs <source>', 'a range 1..1000, a folder, a JSONL file, or - for standard input')
    .addOption(new Option('--input-as <how>', 'where plain values go').choices(INPUT_AS).default('stdin'))
    .option('--lines', 'every line of input is text, not JSON')
    .option('--out <folder>', 'a folder, or - for standard output', '-')
    .option('--unordered', 'write results as they come, not in the order of the inputs')
    .option('--name <text>', 'shown to those who compute it')
    .option('--file <path>', 'a file every unit sees under /in; may be repeated', collect, [])
    .option('--replicas <number>', 'executors of each unit (default: 2)', whole(1, REPLICAS_MAX))
    .option('--quorum <number>', 'how many of them must agree (default: 2)', whole(1, REPLICAS_MAX))
    .option('--audit <share>', 'part of the units recomputed here', decimal(0, 1))
    .option('--own', 'compute units here too')
    .option('--memory <size>', 'most memory of a unit (default: 128MiB)', bytes(MEMORY_BYTES_MAX))
    .option('--time <seconds>', 'most time of a unit (default: 30)', decimal(0.01, WALL_MS_MAX / 1000))
    .option('--gas <number>', 'most gas of a unit', bigWhole(GAS_MAX))
    .option('--priority <number>', '0 to 9', whole(0, PRIORITY_MAX))
    .option('--wait <seconds>', 'give up when nobody takes the job', decimal(1, DAY_SECONDS), EXECUTOR_WAIT_SECONDS)
    .option('--data-dir <folder>', 'where the job is kept, or :memory:', ':memory:')
    .action(async (module: string, flags: RunFlags) => {
      const { runCommand } = await import('./commands/run.ts')
      const {
        relay,
        inputs,
        inputAs,
        lines = false,
        out,
        unordered = false,
        name,
        file: files,
        wait: waitSeconds,
        dataDir,
      } = flags
      const options = {
        relay,
        inputs,
        inputAs,
        lines,
        out,
        ordered: !unordered,
        files,
        waitSeconds,
        dataDir,
        job: jobOptions(flags),
      }
      await runCommand(module, { ...options, ...(name !== undefined && { name }) }, makeContext(flags))
    })
}

function jobOptions(flags: RunFlags): Partial<JobOptions> {
  const { replicas, quorum, audit, own = false, memory, time, gas, priority } = flags
  return {
    useOwnWorkers: own,
    ...(replicas !== undefined && { replicas }),
    ...(quorum !== undefined && { quorum }),
    ...(audit !== undefined && { auditPpm: Math.round(audit * PPM) }),
    ...(memory !== undefined && { memoryBytesMax: memory }),
    ...(time !== undefined && { wallMsMax: Math.round(time * 1000) }),
    ...(gas !== undefined && { gasMax: gas }),
    ...(priority !== undefined && { priority }),
  }
}

function addSwarm(program: Command, makeContext: MakeContext): void {
  withOutput(withRelay(program.command('swarm').description('lend with many headless tabs of this machine')))
    .requiredOption('--nodes <number>', 'how many tabs', whole(1, TABS_MAX))
    .action(async (flags: { relay: string; nodes: number; json?: boolean }) => {
      const { swarmCommand } = await import('./commands/swarm.ts')
      await swarmCommand({ relay: flags.relay, nodes: flags.nodes }, makeContext(flags))
    })
}

function addInspect(program: Command, makeContext: MakeContext): void {
  withOutput(
    program
      .command('inspect')
      .description('show what a module asks for, or what a receipt says')
      .argument('<file>', 'a .wasm or receipt file'),
  ).action(async (file: string, flags: { json?: boolean }) => {
    const { inspectCommand } = await import('./commands/inspect.ts')
    await inspectCommand(file, makeContext(flags))
  })
}

function addVerify(program: Command, makeContext: MakeContext): void {
  withOutput(
    program
      .command('verify')
      .description('check receipts; needs no network')
      .argument('<receipts...>', 'files of receipts'),
  ).action(async (files: string[], flags: { json?: boolean }) => {
    const { verifyCommand } = await import('./commands/verify.ts')
    await verifyCommand(files, makeContext(flags))
  })
}

interface IdFlags {
  readonly dataDir?: string
  readonly keyRing: boolean
  readonly json?: boolean
  readonly quiet?: boolean
}

/** The identity of this machine's peer; needs no network. */
function addId(program: Command, makeContext: MakeContext): void {
  const id = program.command('id').description('show, back up, restore, rotate or revoke the identity of this peer')
  const sub = (name: string, description: string): Command =>
    withOutput(id.command(name).description(description))
      .option('--data-dir <folder>', `the folder of the peer (default: ${defaultDataDir('peer')})`)
      .option('--no-key-ring', "do not use the system's key ring")
  const options = ({ dataDir, keyRing }: IdFlags) => ({ dataDir: dataDir ?? defaultDataDir('peer'), keyRing })
  const commands = () => import('./commands/id.ts')
  const PASSPHRASE = 'a file with the passphrase of the backup; else STARLING_BACKUP_PASSPHRASE, else asked for'

  sub('show', 'who this peer is, its devices and backups').action(async (flags: IdFlags) =>
    (await commands()).showCommand(options(flags), makeContext(flags)),
  )
  sub('backup', 'make an encrypted backup file')
    .requiredOption('--out <file>', 'where to; refused where a file is already')
    .option('--passphrase-file <file>', PASSPHRASE)
    .action(async (flags: IdFlags & { out: string; passphraseFile?: string }) =>
      (await commands()).backupCommand({ ...flags, ...options(flags) }, makeContext(flags)),
    )
  sub('restore', 'take the place of this identity by that of a backup')
    .argument('<backup>', 'a .starling file')
    .option('--passphrase-file <file>', PASSPHRASE)
    .option('--check', 'only try whether it opens and is of this identity')
    .action(async (file: string, flags: IdFlags & { passphraseFile?: string; check?: boolean }) =>
      (await commands()).restoreCommand(file, { ...flags, ...options(flags) }, makeContext(flags)),
    )
  sub('rotate', 'replace the root key; the identity stays')
    .addOption(new Option('--reason <why>', 'why').choices(['planned', 'lost', 'compromised']).default('planned'))
    .option('--backup <file>', 'asked of a protected identity')
    .option('--passphrase-file <file>', PASSPHRASE)
    .action(
      async (
        flags: IdFlags & { reason: 'planned' | 'lost' | 'compromised'; backup?: string; passphraseFile?: string },
      ) => (await commands()).rotateCommand({ ...flags, ...options(flags) }, makeContext(flags)),
    )
  sub('revoke', 'take a device out of the identity, or end the identity for good')
    .option('--device <peer id>', 'the device')
    .option('--identity', 'the whole identity; cannot be taken back')
    .action(async (flags: IdFlags & { device?: string; identity?: boolean }) =>
      (await commands()).revokeCommand({ ...flags, ...options(flags) }, makeContext(flags)),
    )
  sub('export', 'write the public, signed part that anyone can check')
    .requiredOption('--out <file>', 'where to; refused where a file is already')
    .action(async (flags: IdFlags & { out: string }) =>
      (await commands()).exportCommand({ ...flags, ...options(flags) }, makeContext(flags)),
    )
  sub(
    'protect',
    'seal the key file with STARLING_PASSPHRASE, and give up the copy once there are two ways back',
  ).action(async (flags: IdFlags) => (await commands()).protectCommand(options(flags), makeContext(flags)))
}

/** Whom this machine's peer trusts, and its security log; needs no network. */
function addTrust(program: Command, makeContext: MakeContext): void {
  const trust = program.command('trust').description('whom this peer trusts, whom it keeps out, and what happened')
  const sub = (name: string, description: string): Command =>
    withOutput(trust.command(name).description(description))
      .option('--data-dir <folder>', `the folder of the peer (default: ${defaultDataDir('peer')})`)
      .option('--no-key-ring', "do not use the system's key ring")
  const options = ({ dataDir, keyRing }: IdFlags) => ({ dataDir: dataDir ?? defaultDataDir('peer'), keyRing })
  const commands = () => import('./commands/trust.ts')

  sub('list', 'everyone who worked for this peer, best first').action(async (flags: IdFlags) =>
    (await commands()).listCommand(options(flags), makeContext(flags)),
  )
  sub('show', 'what is known of one, and what moved it')
    .argument('<root id>')
    .action(async (rootId: string, flags: IdFlags) =>
      (await commands()).showCommand(rootId, options(flags), makeContext(flags)),
    )
  sub('block', 'keep one out')
    .argument('<root id>')
    .option('--hours <number>', 'for how long (default: until it is lifted)', decimal(0.01, 24 * 3_650))
    .option('--reason <text>', 'for your own memory', 'By hand')
    .action(async (rootId: string, flags: IdFlags & { hours?: number; reason: string }) => {
      const { hours = null, reason } = flags
      await (await commands()).blockCommand(rootId, { ...options(flags), hours, reason }, makeContext(flags))
    })
  sub('unblock', 'let one back; it begins on trial')
    .argument('<root id>')
    .action(async (rootId: string, flags: IdFlags) =>
      (await commands()).unblockCommand(rootId, options(flags), makeContext(flags)),
    )
  sub('events', 'the security log, newest first; --json gives what the page saves, oldest first')
    .option('--type <type>', 'of one kind, such as peer-blacklisted')
    .addOption(new Option('--severity <severity>', 'of one severity').choices(['info', 'warning', 'serious']))
    .option('--peer <id>', 'of one peer or root')
    .option('--limit <number>', 'how many at most', whole(1, 100_000), 100)
    .action(
      async (
        flags: IdFlags & { type?: string; severity?: 'info' | 'warning' | 'serious'; peer?: string; limit: number },
      ) => (await commands()).eventsCommand({ ...flags, ...options(flags) }, makeContext(flags)),
    )
}

const RULES: readonly RuleName[] = [
  'mean',
  'median',
  'trimmed-mean',
  'krum',
  'multi-krum',
  'bulyan',
  'centered-clipping',
]
const LEARN_WAIT_SECONDS = 60

interface LearnFlags {
  readonly relay: string
  readonly dataDir: string
  readonly wait: number
  readonly digits?: string
  readonly csv?: string
  readonly label?: string
  readonly images?: string
  readonly labels?: string
  readonly out?: string
  readonly json?: boolean
}

interface LearnCreateFlags extends LearnFlags {
  readonly name: string
  readonly layers: readonly number[]
  readonly classes: readonly string[]
  readonly rule: RuleName
  readonly byzantine: number
  readonly rounds?: number
  readonly steps?: number
  readonly rate?: number
  readonly clip?: number
  readonly min?: number
  readonly target?: number
}

function withLearn(command: Command, waitSeconds = LEARN_WAIT_SECONDS): Command {
  return withOutput(withRelay(command))
    .option('--data-dir <folder>', 'where the task, its model and the data are kept, or :memory:', ':memory:')
    .option('--wait <seconds>', 'give up when no such task is heard of', decimal(1, DAY_SECONDS), waitSeconds)
}

function withLearningData(command: Command): Command {
  return command
    .option('--digits <part>', 'the digits that come with Starling: all, or such as 2/5')
    .option('--csv <file>', 'a table with a header line')
    .option('--label <column>', 'of --csv: the column of classes')
    .option('--images <file>', 'pictures in the format of MNIST')
    .option('--labels <file>', 'of --images: their labels')
    .option('--out <file>', 'save the model at the end, as .safetensors or .onnx')
}

function addLearn(program: Command, makeContext: MakeContext): void {
  const learn = program.command('learn').description('train a model together, without giving the data away')
  const list = (text: string) => text.split(',').map((part) => part.trim())
  const layers = (text: string) => text.split('-').map(whole(1, 65_536))
  const common = ({ relay, dataDir, wait }: LearnFlags) => ({ relay, dataDir, waitSeconds: wait })
  withLearningData(withLearn(learn.command('create').description('announce a task, and take part when data is given')))
    .option('--name <text>', 'shown to others', 'Digits')
    .option('--layers <widths>', 'inputs, hidden layers and classes', layers, [196, 32, 10])
    .option('--classes <names>', 'comma-separated', list, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    .addOption(new Option('--rule <name>', 'how updates become one').choices([...RULES]).default('trimmed-mean'))
    .option('--byzantine <number>', 'hostile members the rule is to withstand', whole(0, PEERS_MAX), 1)
    .option('--rounds <number>', 'rounds', whole(1, ROUNDS_MAX))
    .option('--steps <number>', 'local steps of a round', whole(1, LOCAL_STEPS_MAX))
    .option('--rate <number>', 'learning rate', decimal(0.000_001, 100))
    .option('--clip <norm>', 'most that one update may change', decimal(0.001, 16_000))
    .option('--min <number>', 'fewest updates of a round', whole(PARTICIPANTS_MIN, MEMBERS_MAX))
    .option('--target <number>', 'members to wait for at first', whole(PARTICIPANTS_MIN, MEMBERS_MAX))
    .action(async (flags: LearnCreateFlags) => {
      const { learnCreateCommand } = await import('./commands/learn.ts')
      const {
        name,
        layers: widths,
        classes,
        rule,
        byzantine: byzantineMax,
        rounds,
        steps,
        rate,
        clip,
        min,
        target,
      } = flags
      const options = {
        ...(rounds !== undefined && { rounds }),
        ...(steps !== undefined && { localSteps: steps }),
        ...(rate !== undefined && { learningRate: rate }),
        ...(clip !== undefined && { clipNorm: clip }),
        ...(min !== undefined && { participantsMin: min }),
        ...(target !== undefined && { participantsTarget: target }),
      }
      const task = { name, layers: widths, classes, rule, byzantineMax, options }
      await learnCreateCommand({ ...common(flags), ...task, data: flags, out: flags.out ?? null }, makeContext(flags))
    })
  withLearningData(
    withLearn(learn.command('join').description('take part in a task').argument('[task]', 'its id (default: any)')),
  ).action(async (task: string | undefined, flags: LearnFlags) => {
    const { learnJoinCommand } = await import('./commands/learn.ts')
    await learnJoinCommand(task ?? null, { ...common(flags), data: flags, out: flags.out ?? null }, makeContext(flags))
  })
  withLearn(
    learn.command('status').description('list the tasks of a room, or show one').argument('[task]', 'its id'),
    10,
  ).action(async (task: string | undefined, flags: LearnFlags) => {
    const { learnStatusCommand } = await import('./commands/learn.ts')
    await learnStatusCommand(task ?? null, common(flags), makeContext(flags))
  })
  withLearn(
    learn
      .command('export')
      .description('save the model of a task that was joined with this --data-dir')
      .argument('<task>')
      .argument('<file>', '.safetensors or .onnx'),
    10,
  ).action(async (task: string, file: string, flags: LearnFlags) => {
    const { learnExportCommand } = await import('./commands/learn.ts')
    await learnExportCommand(task, file, common(flags), makeContext(flags))
  })
}
