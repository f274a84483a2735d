import * as v from 'valibot'
import type { LearningTaskId } from '../core/codec/ids.ts'
import { inputsOf } from '../core/learning/model.ts'
import { type LearningTask, readTableSchema } from '../core/learning/task.ts'
import type { Store, StoreOp } from '../storage/store.ts'
import type { DatasetSource } from '../workers/training/contract.ts'
import type { LearningData } from './learning-contract.ts'

/** Apart from the blocks: what is in here is never served to anyone. */
const DATA_BUCKET = 'learning-data'

const metaSchema = v.variant('kind', [
  v.object({
    kind: v.literal('bundled'),
    name: v.literal('digits'),
    part: v.nullable(v.object({ index: v.number(), of: v.number() })),
  }),
  v.object({ kind: v.literal('csv'), labelColumn: v.string() }),
  v.object({ kind: v.literal('idx') }),
  v.object({ kind: v.literal('samples') }),
])

/** The data's own bytes, in their order. */
function partsOf(data: LearningData): readonly Uint8Array[] {
  switch (data.kind) {
    case 'bundled':
      return []
    case 'csv':
      return [data.bytes]
    case 'idx':
      return [data.images, data.labels]
    case 'samples':
      return [new Uint8Array(data.inputs.buffer, data.inputs.byteOffset, data.inputs.byteLength), data.labels]
  }
}

function metaOf(data: LearningData): v.InferOutput<typeof metaSchema> {
  if (data.kind === 'bundled') return { kind: data.kind, name: data.name, part: data.part ?? null }
  return data.kind === 'csv' ? { kind: data.kind, labelColumn: data.labelColumn } : { kind: data.kind }
}

/** What to write so that a restart finds the data again. */
export function dataOps(task: LearningTaskId, data: LearningData): StoreOp[] {
  const meta = new TextEncoder().encode(JSON.stringify(metaOf(data)))
  const parts = partsOf(data).map((value, index) => ({ bucket: DATA_BUCKET, key: `${task}/${index}`, value }))
  return [{ bucket: DATA_BUCKET, key: `${task}/meta`, value: meta }, ...parts]
}

export function forgetDataOps(task: LearningTaskId): StoreOp[] {
  return ['meta', '0', '1'].map((part) => ({ bucket: DATA_BUCKET, key: `${task}/${part}`, value: undefined }))
}

/** The data a task is joined with here; `null` when there is none, or it is damaged. */
export async function readData(store: Store, task: LearningTaskId): Promise<LearningData | null> {
  const [stored, first, second] = await store.getMany(
    DATA_BUCKET,
    ['meta', '0', '1'].map((part) => `${task}/${part}`),
  )
  if (stored === undefined) return null
  const meta = v.safeParse(metaSchema, JSON.parse(new TextDecoder().decode(stored)))
  if (!meta.success) return null
  const { output } = meta
  if (output.kind === 'bundled')
    return { kind: 'bundled', name: output.name, ...(output.part !== null && { part: output.part }) }
  if (first === undefined) return null
  if (output.kind === 'csv') return { kind: 'csv', bytes: first, labelColumn: output.labelColumn }
  if (second === undefined) return null
  if (output.kind === 'idx') return { kind: 'idx', images: first, labels: second }
  // A copy: stored bytes need not begin at a multiple of four.
  return { kind: 'samples', inputs: new Float32Array(first.slice().buffer), labels: second }
}

/** Data of which no task is known yet. */
export function sourceToInspect(data: Exclude<LearningData, { kind: 'samples' }>): DatasetSource {
  switch (data.kind) {
    case 'bundled':
      return { kind: 'bundled' }
    case 'csv':
      return {
        kind: 'csv',
        file: data.bytes,
        schema: null,
        label: data.labelColumn,
        classes: null,
        incompleteRows: 'refuse',
      }
    case 'idx':
      return { kind: 'idx', images: data.images, labels: data.labels, classes: null }
  }
}

/** The data as the training worker reads it. */
export function sourceOf(data: LearningData, task: LearningTask): DatasetSource {
  const { classes, architecture } = task
  switch (data.kind) {
    case 'bundled':
      return { kind: 'bundled' }
    case 'csv':
      return {
        kind: 'csv',
        file: data.bytes,
        schema: task.table === null ? null : readTableSchema(task.table),
        label: task.table === null ? data.labelColumn : null,
        classes: task.table === null ? classes : null,
        incompleteRows: 'refuse',
      }
    case 'idx':
      return { kind: 'idx', images: data.images, labels: data.labels, classes: classes.length }
    case 'samples':
      return {
        kind: 'samples',
        samples: {
          values: data.inputs,
          labels: data.labels,
          features: inputsOf(architecture),
          classes: classes.length,
          labelNames: classes,
          picture: architecture.kind === 'conv' ? { width: architecture.width, height: architecture.height } : null,
        },
      }
  }
}
