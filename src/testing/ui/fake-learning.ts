import type {
  ConfusionMatrix,
  LearningApi,
  LearningDataSummary,
  LearningOptions,
  LearningPrediction,
  LearningPreview,
  LearningTaskDetail,
  LearningTaskSpec,
  LearningTaskSummary,
} from '../../node/learning-contract.ts'
import { optionsOf } from '../../node/learning-spec.ts'

/** A peer that knows no learning task: for tests and the harness of the interface. */
export class FakeLearning implements LearningApi {
  async learningTasks(): Promise<readonly LearningTaskSummary[]> {
    return []
  }

  async learningTask(_taskId: string): Promise<LearningTaskDetail | null> {
    return null
  }

  async learningOptions(spec: LearningTaskSpec): Promise<LearningOptions> {
    return optionsOf(spec)
  }

  async createLearningTask(_spec: LearningTaskSpec): Promise<string> {
    return 'a'.repeat(64)
  }

  async inspectLearningData(): Promise<LearningDataSummary> {
    return { samples: 0, inputs: 1, classes: [], perClass: [], picture: null, table: null }
  }

  async previewLearning(): Promise<LearningPreview> {
    return { samples: 0, perClass: [], stays: [], leaves: [], warnings: [] }
  }

  async joinLearning(): Promise<void> {}
  async leaveLearning(): Promise<void> {}
  async pauseLearning(): Promise<void> {}
  async resumeLearning(): Promise<void> {}
  async removeLearning(): Promise<void> {}

  async learningConfusion(_taskId: string): Promise<ConfusionMatrix | null> {
    return null
  }

  async learningPredict(): Promise<LearningPrediction> {
    return { probabilities: new Float32Array(), round: 0 }
  }

  async exportLearningModel(): Promise<Uint8Array> {
    return new Uint8Array()
  }
}
