import { writeFileSync } from 'node:fs'
import type { Architecture } from '../../core/learning/model.ts'
import { type AggregationRule, defaultRule, type RuleName } from '../../core/learning/rules.ts'
import type { NodeApi } from '../../node/contract.ts'
import type {
  LearningData,
  LearningOptions,
  LearningTaskDetail,
  LearningTaskSummary,
} from '../../node/learning-contract.ts'
import { startNodePeer } from '../../node/node-peer.node.ts'
import { NetworkUnavailableError, UsageError } from '../errors.ts'
import { ownPassphrase } from '../passphrase-input.ts'
import type { Context } from './context.ts'
import { readFile } from './run.ts'

const LOOK_INTERVAL_MS = 500

/** Where the data of a member comes from; exactly one kind, or none. */
export interface LearnDataFlags {
  /** `all`, or `2/5` for the second of five parts. */
  readonly digits?: string
  readonly csv?: string
  readonly label?: string
  readonly images?: string
  readonly labels?: string
}

interface LearnPeerOptions {
  readonly relay: string
  readonly dataDir: string
  readonly waitSeconds: number
}

export interface LearnCreateOptions extends LearnPeerOptions {
  readonly name: string
  readonly layers: readonly number[]
  readonly classes: readonly string[]
  readonly rule: RuleName
  readonly byzantineMax: number
  readonly options: Partial<LearningOptions>
  readonly data: LearnDataFlags
  readonly out: string | null
}

export interface LearnJoinOptions extends LearnPeerOptions {
  readonly data: LearnDataFlags
  readonly out: string | null
}

/** `starling learn create`: announces a task, takes part in it when data is given, and stays until it is done. */
export async function learnCreateCommand(options: LearnCreateOptions, context: Context): Promise<void> {
  const data = readLearningData(options.data)
  const peer = await start(options, context)
  // A file says itself how wide it is and which classes it has.
  const seen = data === null || data.kind === 'samples' ? null : await peer.inspectLearningData(data)
  const hidden = options.layers.slice(1, -1)
  const layers = seen === null ? options.layers : [seen.inputs, ...hidden, seen.classes.length]
  const taskId = await peer.createLearningTask({
    name: options.name,
    description: '',
    architecture: architectureOf(layers),
    classes: seen?.classes ?? options.classes,
    ...(seen?.table && { table: seen.table }),
    options: { ...options.options, rule: ruleOf(options.rule, options.byzantineMax) },
  })
  if (context.terminal.json) await context.terminal.writeJson({ taskId })
  else context.terminal.say(`Task ${taskId}; others join with: starling learn join ${taskId}`)
  if (data !== null) await peer.joinLearning(taskId, data)
  await follow(peer, taskId, options.out, context)
}

/** `starling learn join`: takes part until the task is done. */
export async function learnJoinCommand(
  taskId: string | null,
  options: LearnJoinOptions,
  context: Context,
): Promise<void> {
  const data = readLearningData(options.data)
  if (data === null) throw new UsageError('Joining needs data: --digits, --csv or --images', { field: '--digits' })
  const peer = await start(options, context)
  const task = await waitForTask(peer, taskId, options.waitSeconds, context)
  const { samples, leaves, stays, warnings } = await peer.previewLearning(task.taskId, data)
  const facts = (list: typeof stays) => list.map(({ code, bytes }) => (bytes === null ? code : `${code} (${bytes} B)`))
  context.terminal.say(
    `${samples} samples; stays here: ${facts(stays).join(', ')}; leaves: ${facts(leaves).join(', ')}`,
  )
  for (const { code, detail } of warnings) context.terminal.say(`Note: ${code}${detail ? ` (${detail})` : ''}`)
  await peer.joinLearning(task.taskId, data)
  await follow(peer, task.taskId, options.out, context)
}

/** `starling learn status`: the tasks of the room, or everything about one. */
export async function learnStatusCommand(
  taskId: string | null,
  options: LearnPeerOptions,
  context: Context,
): Promise<void> {
  const { terminal } = context
  const peer = await start(options, context)
  if (taskId !== null) await waitForTask(peer, taskId, options.waitSeconds, context)
  else await context.lifetime.unlessInterrupted(pause(options.waitSeconds * 1_000))
  if (taskId !== null) {
    const detail = await peer.learningTask(taskId)
    if (terminal.json) await terminal.writeJson(detail)
    else await terminal.write(`${detailText(detail as LearningTaskDetail)}\n`)
    return
  }
  for (const task of await peer.learningTasks()) {
    if (terminal.json) await terminal.writeJson(task)
    else await terminal.write(`${task.taskId}  ${progressText(task)}\n`)
  }
}

/** `starling learn export`: the model that this peer's store holds. */
export async function learnExportCommand(
  taskId: string,
  file: string,
  options: LearnPeerOptions,
  context: Context,
): Promise<void> {
  const peer = await start(options, context)
  await waitForTask(peer, taskId, options.waitSeconds, context)
  await save(peer, taskId, file)
  context.terminal.say(`Model of ${taskId} in ${file}`)
}

async function start(options: LearnPeerOptions, { terminal, lifetime }: Context): Promise<NodeApi> {
  const peer = await startNodePeer({
    dataDir: options.dataDir,
    relay: options.relay,
    ...ownPassphrase(),
    onLog: ({ level, scope, message }) => {
      if (level === 'error') terminal.complain(`${level} ${scope}: ${message}`)
    },
  })
  await lifetime.add('the peer', () => peer.stop())
  return peer
}

async function follow(peer: NodeApi, taskId: string, out: string | null, context: Context): Promise<void> {
  const { terminal, lifetime } = context
  let round = -1
  for (;;) {
    const task = await peer.learningTask(taskId)
    if (task === null) return
    terminal.progress(progressText(task))
    const point = task.roundPoints.at(-1)
    if (point !== undefined && point.round !== round) {
      round = point.round
      if (terminal.json) await terminal.writeJson(point)
      else terminal.say(`round ${point.round}: ${point.outcome}, ${point.merged} updates${scoreText(task)}`)
    }
    if (task.state === 'done' || task.state === 'stopped') break
    await lifetime.unlessInterrupted(pause(LOOK_INTERVAL_MS))
  }
  terminal.endProgress()
  if (out !== null) await save(peer, taskId, out)
}

async function save(peer: NodeApi, taskId: string, file: string): Promise<void> {
  const format = file.endsWith('.onnx') ? 'onnx' : 'safetensors'
  writeFileSync(file, await peer.exportLearningModel(taskId, format))
}

async function waitForTask(
  peer: NodeApi,
  taskId: string | null,
  waitSeconds: number,
  { lifetime }: Context,
): Promise<LearningTaskSummary> {
  const deadline = performance.now() + waitSeconds * 1_000
  for (;;) {
    const tasks = await peer.learningTasks()
    const found = taskId === null ? tasks.find(({ state }) => state === 'announced') : byId(tasks, taskId)
    if (found !== undefined) return found
    if (performance.now() > deadline) {
      throw new NetworkUnavailableError(
        `No ${taskId === null ? 'learning task' : `task ${taskId}`} within ${waitSeconds} s`,
        {
          field: '--wait',
          value: waitSeconds,
        },
      )
    }
    await lifetime.unlessInterrupted(pause(LOOK_INTERVAL_MS))
  }
}

const byId = (tasks: readonly LearningTaskSummary[], taskId: string) => tasks.find((task) => task.taskId === taskId)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function progressText(task: LearningTaskSummary): string {
  const reason =
    task.reason === null ? '' : ` (${task.reason.code}${task.reason.detail ? ` ${task.reason.detail}` : ''})`
  return `"${task.name}" ${task.state}${reason}: ${task.roundsDone} of ${task.rounds} rounds, ${task.members} members${scoreText(task)}`
}

function scoreText({ accuracy, loss }: LearningTaskSummary): string {
  return accuracy === null || loss === null ? '' : `, accuracy ${accuracy.toFixed(3)}, loss ${loss.toFixed(3)}`
}

function detailText(task: LearningTaskDetail): string {
  const contributions = task.contributions.map(
    ({ peerId, merged, rejected, missed }) => `  ${peerId}: ${merged} merged, ${rejected} rejected, ${missed} missed`,
  )
  const budget =
    task.privacy === null
      ? 'no noise is added'
      : `ε ${task.privacy.epsilonSpent.toFixed(2)} of ${task.privacy.epsilonMax}, ${task.privacy.roundsLeft} rounds left`
  return [progressText(task), `${task.parameters} parameters, ${task.rule}; ${budget}`, ...contributions].join('\n')
}

/** The data of the options; `null` when none is named. @throws {@link UsageError} */
export function readLearningData(flags: LearnDataFlags): LearningData | null {
  const { digits, csv, label, images, labels } = flags
  const kinds = [digits, csv, images].filter((each) => each !== undefined).length
  if (kinds > 1) throw new UsageError('Only one of --digits, --csv and --images can be given', { field: '--digits' })
  if (digits !== undefined) return digitsOf(digits)
  if (csv !== undefined) {
    if (label === undefined) throw new UsageError('--csv needs --label, the column of classes', { field: '--label' })
    return { kind: 'csv', bytes: readFile(csv, '--csv'), labelColumn: label }
  }
  if (images === undefined) return null
  if (labels === undefined) throw new UsageError('--images needs --labels, its file of labels', { field: '--labels' })
  return { kind: 'idx', images: readFile(images, '--images'), labels: readFile(labels, '--labels') }
}

function digitsOf(text: string): LearningData {
  if (text === 'all') return { kind: 'bundled', name: 'digits' }
  const [, part = '', of = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? []
  const [index, count] = [Number(part) - 1, Number(of)]
  if (part === '' || index < 0 || index >= count)
    throw new UsageError(`--digits is "${text}"; wanted "all", or such as "2/5"`, { field: '--digits', value: text })
  return { kind: 'bundled', name: 'digits', part: { index, of: count } }
}

function architectureOf(layers: readonly number[]): Architecture {
  const [inputs, outputs] = [layers[0], layers.at(-1)]
  if (inputs === undefined || outputs === undefined || layers.length < 2)
    throw new UsageError('--layers needs inputs and outputs, such as 196-32-10', { field: '--layers' })
  return { kind: 'mlp', inputs, hidden: layers.slice(1, -1), outputs }
}

/** Centered clipping's radius and iterations are those of docs/LEARNING.md. */
function ruleOf(rule: RuleName, byzantineMax: number): AggregationRule {
  if (rule === 'mean') return { rule, byzantineMax: 0 }
  if (rule === 'centered-clipping') return { rule, byzantineMax, radius: 1_966, iterations: 6 }
  return rule === 'trimmed-mean' ? defaultRule(byzantineMax) : { rule, byzantineMax, nearestNeighbourMixing: false }
}
