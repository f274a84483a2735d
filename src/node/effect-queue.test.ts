import { expect, it } from 'vitest'
import { MemoryStore } from '../storage/memory-store.ts'
import type { StoreOp } from '../storage/store.ts'
import { EffectQueue } from './effect-queue.ts'

type Effect =
  | { readonly type: 'persist'; readonly ops: readonly StoreOp[] }
  | { readonly type: 'send'; readonly what: string }

const persist = (key: string): Effect => ({ type: 'persist', ops: [{ bucket: 'b', key, value: new Uint8Array() }] })
const send = (what: string): Effect => ({ type: 'send', what })
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

class SlowStore extends MemoryStore {
  readonly waiting: { resolve(): void; reject(error: unknown): void }[] = []
  override write(): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }))
  }
}

it('EffectQueue performs what stands after a persist only once it is durable', async () => {
  const store = new SlowStore()
  const sent: string[] = []
  const queue = new EffectQueue<Effect>(
    store,
    (effect) => sent.push(effect.what),
    () => undefined,
  )
  queue.push([send('one'), persist('a'), send('two')])
  queue.push([persist('b'), send('three')])
  expect(sent).toEqual(['one'])
  expect(store.waiting).toHaveLength(2)
  store.waiting[1]?.resolve()
  await turn()
  expect(sent).toEqual(['one'])
  store.waiting[0]?.resolve()
  await turn()
  expect(sent).toEqual(['one', 'two', 'three'])
})

it('EffectQueue stops for good when the store refuses', async () => {
  const store = new SlowStore()
  const sent: string[] = []
  const refused: unknown[] = []
  const queue = new EffectQueue<Effect>(
    store,
    (effect) => sent.push(effect.what),
    (error) => refused.push(error),
  )
  queue.push([persist('a'), send('never'), persist('b'), send('nor this')])
  store.waiting[0]?.reject(new Error('No space'))
  store.waiting[1]?.resolve()
  await turn()
  queue.push([send('late')])
  expect(sent).toEqual([])
  expect(refused).toHaveLength(1)
  expect(queue.stopped).toBe(true)
})
