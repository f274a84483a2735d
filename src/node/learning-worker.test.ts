import { describe, expect, it } from 'vitest'
import { parameterCount } from '../core/learning/model.ts'
import { MemoryStore } from '../storage/memory-store.ts'
import { learningTask } from '../testing/learning-fixtures.ts'
import { testSigner } from '../testing/signers.ts'
import { nodePlatform } from '../workers/training/platform.node.ts'
import { TrainingService } from '../workers/training/service.ts'
import { BlockStore } from './block-store.ts'
import type { LearningData } from './learning-contract.ts'
import { LearningWorker, type LearningWorkers } from './learning-worker.ts'
import type { NodePorts } from './ports.ts'

const DATA: LearningData = { kind: 'bundled', name: 'digits', part: { index: 0, of: 10 } }
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const ARCHITECTURE = { kind: 'mlp', inputs: 196, hidden: [], outputs: 10 } as const

function learningWorker(): LearningWorker {
  const ports = {
    blocks: new BlockStore(new MemoryStore()),
    random: (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)),
  }
  const training = new TrainingService({ platform: nodePlatform, engines: ['reference'] })
  const workers = { training: () => Object.assign(training, { terminate: () => undefined }) }
  const task = learningTask(testSigner(0).author, { architecture: ARCHITECTURE, classes: CLASSES })
  // All that loading and training ask for.
  return new LearningWorker(ports as unknown as NodePorts, task, workers as unknown as LearningWorkers)
}

async function train(worker: LearningWorker): Promise<Int32Array> {
  const model = await worker.keep(new Int32Array(parameterCount(ARCHITECTURE)))
  const { values } = await worker.train({
    job: 'test',
    model,
    ledger: null,
    charged: () => Promise.resolve(),
    onProgress: () => undefined,
  })
  return values
}

describe('LearningWorker', () => {
  it('trains again on data that it had let go, and reads it once', async () => {
    const worker = learningWorker()
    await worker.load(DATA)
    let reads = 0
    await worker.rest(() => {
      reads++
      return Promise.resolve(DATA)
    })
    expect((await train(worker)).some((value) => value !== 0)).toBe(true)
    await train(worker)
    expect(reads).toBe(1)
  })

  it('does not train without data', async () => {
    const worker = learningWorker()
    await expect(train(worker)).rejects.toThrow('There is no data to train on')
    await worker.load(DATA)
    await worker.unload()
    await expect(train(worker)).rejects.toThrow('There is no data to train on')
  })
})
