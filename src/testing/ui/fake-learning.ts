import type {
  ConfusionMatrix,
  LearningApi,
  LearningData,
  LearningDataSummary,
  LearningOptions,
  LearningPrediction,
  LearningPreview,
  LearningTaskDetail,
  LearningTaskSpec,
  LearningTaskSummary,
} from '../../node/learning-contract.ts'
import { optionsOf } from '../../node/learning-spec.ts'
import { fakeTasks } from './fake-learning-tasks.ts'

const TABLE_SUMMARY: LearningDataSummary = {
  samples: 150,
  inputs: 2,
  classes: ['a', 'b'],
  perClass: [90, 60],
  picture: null,
  table: {
    columns: [
      { kind: 'number', name: 'length', centre: 3, scale: 1 },
      { kind: 'number', name: 'width', centre: 1, scale: 1 },
    ],
    label: { name: 'kind', values: ['a', 'b'] },
  },
}

const DIGITS_SUMMARY: LearningDataSummary = {
  samples: 4_000,
  inputs: 196,
  classes: [...'0123456789'],
  perClass: [396, 461, 402, 405, 397, 355, 399, 425, 375, 385],
  picture: { width: 14, height: 14 },
  table: null,
}

/** Learning tasks of made-up figures, for tests and the harness of the interface. */
export class FakeLearning implements LearningApi {
  #tasks: LearningTaskDetail[] = fakeTasks()
  #failing = false

  /** What a scenario knows of learning. */
  protected setLearning(scene: 'none' | 'failing'): void {
    this.#failing = scene === 'failing'
    this.#tasks = []
  }

  async learningTasks(): Promise<readonly LearningTaskSummary[]> {
    if (this.#failing) throw new Error('The store is closed')
    return this.#tasks
  }

  async learningTask(taskId: string): Promise<LearningTaskDetail | null> {
    if (this.#failing) throw new Error('The store is closed')
    return this.#tasks.find((task) => task.taskId === taskId) ?? null
  }

  async learningOptions(spec: LearningTaskSpec): Promise<LearningOptions> {
    const options = optionsOf(spec)
    if (options.mode !== 'plain') throw new Error(`task.mode is ${options.mode}, limit plain`)
    return options
  }

  async createLearningTask(spec: LearningTaskSpec): Promise<string> {
    const taskId = 'c'.repeat(64)
    const [first] = fakeTasks()
    if (first !== undefined) this.#tasks = [{ ...first, taskId, name: spec.name }, ...this.#tasks]
    return taskId
  }

  async inspectLearningData(data: LearningData): Promise<LearningDataSummary> {
    if (data.kind === 'idx') throw new Error('File images has data bytes 0, limit 784 exactly')
    return data.kind === 'csv' ? TABLE_SUMMARY : DIGITS_SUMMARY
  }

  async previewLearning(taskId: string): Promise<LearningPreview> {
    const classes = this.#tasks.find((task) => task.taskId === taskId)?.classes ?? []
    return {
      samples: 59,
      perClass: classes.map((_, at) => (at === 0 ? 0 : 20 + at * 3)),
      stays: [
        { code: 'samples', bytes: 46_256 },
        { code: 'labels', bytes: 59 },
        { code: 'device-key', bytes: null },
      ],
      leaves: [
        { code: 'update', bytes: 26_536 },
        { code: 'norm', bytes: 8 },
        { code: 'votes', bytes: null },
        { code: 'presence', bytes: null },
      ],
      warnings: [
        { code: 'few-samples', detail: '59' },
        { code: 'classes-missing', detail: classes[0] ?? '' },
        { code: 'few-members', detail: '3' },
      ],
    }
  }

  async joinLearning(taskId: string): Promise<void> {
    this.#set(taskId, 'joining')
  }
  async leaveLearning(taskId: string): Promise<void> {
    this.#set(taskId, 'left')
  }
  async pauseLearning(taskId: string): Promise<void> {
    this.#set(taskId, 'paused')
  }
  async resumeLearning(taskId: string): Promise<void> {
    this.#set(taskId, 'training')
  }
  async removeLearning(taskId: string): Promise<void> {
    this.#tasks = this.#tasks.filter((task) => task.taskId !== taskId)
  }

  async learningConfusion(taskId: string): Promise<ConfusionMatrix | null> {
    const task = this.#tasks.find((each) => each.taskId === taskId)
    if (task === undefined) return null
    const { classes } = task
    const counts = Uint32Array.from({ length: classes.length ** 2 }, (_, at) => {
      const [truth, predicted] = [Math.floor(at / classes.length), at % classes.length]
      return truth === predicted ? 9 : (truth * 7 + predicted * 3) % 11 === 0 ? 2 : 0
    })
    return { classes, counts, round: task.roundsDone }
  }

  async learningPredict(taskId: string, input: Float32Array): Promise<LearningPrediction> {
    const classes = this.#tasks.find((task) => task.taskId === taskId)?.classes.length ?? 2
    const ink = Math.round(input.reduce((sum, value) => sum + Math.abs(value), 0))
    const raw = Array.from({ length: classes }, (_, at) => (at === ink % classes ? 12 : 1))
    const sum = raw.reduce((a, b) => a + b, 0)
    return { probabilities: Float32Array.from(raw, (value) => value / sum), round: 14 }
  }

  async exportLearningModel(): Promise<Uint8Array> {
    return new Uint8Array(16)
  }

  #set(taskId: string, state: LearningTaskDetail['state']): void {
    this.#tasks = this.#tasks.map((task) =>
      task.taskId === taskId ? { ...task, state, reason: null, current: null } : task,
    )
  }
}
