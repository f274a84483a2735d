import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { Store, StoreOp } from '../storage/store.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

async function entries(store: Store, bucket: string, prefix: string): Promise<[string, number[]][]> {
  const found: [string, number[]][] = []
  for await (const [key, value] of store.list(bucket, prefix)) found.push([key, [...value]])
  return found
}

/** What every implementation of the `Store` port must do. `reopen` returns a store on the same records, where they persist. */
export function describeStore(
  name: string,
  open: () => Promise<Store>,
  reopen?: (store: Store) => Promise<Store>,
): void {
  describe(`Store: ${name}`, () => {
    const opened: Store[] = []
    const fresh = async (): Promise<Store> => {
      const store = await open()
      opened.push(store)
      return store
    }
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    it('get returns what was written and undefined for what was not', async () => {
      const store = await fresh()
      await store.write([{ bucket: 'a', key: 'k', value: bytes(1, 2) }])
      expect([...((await store.get('a', 'k')) ?? [])]).toEqual([1, 2])
      expect(await store.get('a', 'other')).toBeUndefined()
      expect(await store.get('b', 'k')).toBeUndefined()
    })

    it('getMany returns values in the order of the keys, and undefined for what is not there', async () => {
      const store = await fresh()
      await store.write(['k1', 'k2', 'k3'].map((key, index) => ({ bucket: 'a', key, value: bytes(index) })))
      const found = await store.getMany('a', ['k3', 'none', 'k1', 'k3'])
      expect(found.map((value) => value?.[0])).toEqual([2, undefined, 0, 2])
      expect(await store.getMany('a', [])).toEqual([])
    })

    it('write applies later operations of a batch over earlier ones', async () => {
      const store = await fresh()
      await store.write([
        { bucket: 'a', key: 'k', value: bytes(1) },
        { bucket: 'a', key: 'k', value: undefined },
        { bucket: 'a', key: 'k', value: bytes(3) },
      ])
      expect(await entries(store, 'a', '')).toEqual([['k', [3]]])
    })

    it('list yields the keys under a prefix in order, over more than a page', async () => {
      const store = await fresh()
      const ops: StoreOp[] = []
      for (let index = 0; index < 700; index++) {
        ops.push({ bucket: 'a', key: `p/${String(index).padStart(5, '0')}`, value: bytes(index & 255) })
      }
      ops.push({ bucket: 'a', key: 'p', value: bytes(9) }, { bucket: 'a', key: 'q', value: bytes(9) })
      ops.push({ bucket: 'a', key: 'p/', value: bytes(7) }, { bucket: 'ap/', key: 'p/00000', value: bytes(9) })
      await store.write(ops)
      const found = await entries(store, 'a', 'p/')
      expect(found).toHaveLength(701)
      expect(found[0]).toEqual(['p/', [7]])
      expect(found.map(([key]) => key)).toEqual(found.map(([key]) => key).sort())
    })

    it('write keeps the order of batches written without waiting', async () => {
      const store = await fresh()
      const writes: Promise<void>[] = []
      for (let index = 0; index < 200; index++)
        writes.push(store.write([{ bucket: 'a', key: 'k', value: bytes(index) }]))
      await Promise.all(writes)
      expect([...((await store.get('a', 'k')) ?? [])]).toEqual([199])
    })

    it('does not share memory with its caller', async () => {
      const store = await fresh()
      const value = bytes(1, 2, 3)
      await store.write([{ bucket: 'a', key: 'k', value }])
      value[0] = 99
      expect([...((await store.get('a', 'k')) ?? [])]).toEqual([1, 2, 3])
    })

    it('agrees with a map under random batches', async () => {
      const op = fc.record({
        bucket: fc.constantFrom('a', 'b'),
        key: fc.constantFrom('x', 'x/1', 'x/2', 'y'),
        value: fc.option(fc.uint8Array({ maxLength: 8 }), { nil: undefined }),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(op, { maxLength: 5 }), { maxLength: 12 }), async (batches) => {
          const store = await open()
          const model = new Map<string, number[]>()
          for (const batch of batches) {
            await store.write(batch)
            for (const { bucket, key, value } of batch) {
              if (value === undefined) model.delete(`${bucket} ${key}`)
              else model.set(`${bucket} ${key}`, [...value])
            }
          }
          for (const bucket of ['a', 'b']) {
            const expected = [...model]
              .filter(([key]) => key.startsWith(`${bucket} x`))
              .sort(([a], [b]) => (a < b ? -1 : 1))
            const found = await entries(store, bucket, 'x')
            expect(found.map(([key, value]) => [`${bucket} ${key}`, value])).toEqual(expected)
          }
          await store.close()
        }),
        { numRuns: 25 },
      )
    })

    it.runIf(reopen !== undefined)('what was written is there after reopening', async () => {
      const store = await open()
      await store.write([{ bucket: 'a', key: 'k', value: bytes(5) }])
      const again = (await reopen?.(store)) as Store
      opened.push(again)
      expect([...((await again.get('a', 'k')) ?? [])]).toEqual([5])
    })
  })
}
