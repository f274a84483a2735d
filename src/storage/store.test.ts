import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { describeStore } from '../testing/store-acceptance.ts'
import { GroupCommit } from './group-commit.ts'
import { MemoryStore } from './memory-store.ts'
import { SqliteStore } from './sqlite-store.node.ts'

const files = new WeakMap<SqliteStore, string>()

function openSqlite(file = join(mkdtempSync(join(tmpdir(), 'starling-store-')), 'store.sqlite')): SqliteStore {
  const store = new SqliteStore(file)
  files.set(store, file)
  return store
}

describeStore('memory', async () => new MemoryStore())
describeStore(
  'sqlite',
  async () => openSqlite(),
  async (store) => {
    const file = files.get(store as SqliteStore)
    await store.close()
    return openSqlite(file)
  },
)

it('GroupCommit lets a few writes follow each other, and paces many', async () => {
  vi.useFakeTimers()
  try {
    const commits: number[] = []
    const group = new GroupCommit(async () => void commits.push(performance.now() - began), {
      intervalMs: 20,
      burst: 3,
    })
    const began = performance.now()
    const written = (async () => {
      for (let i = 0; i < 6; i++) await group.write([{ bucket: 'a', key: String(i), value: new Uint8Array() }])
    })()
    await vi.advanceTimersByTimeAsync(100)
    await written
    expect(commits).toEqual([0, 0, 0, 20, 40, 60])
  } finally {
    vi.useRealTimers()
  }
})

it('GroupCommit joins batches, and a failing batch does not take its neighbours with it', async () => {
  const commits: string[][] = []
  const group = new GroupCommit(async (ops) => {
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (ops.some((op) => op.key === 'bad')) throw new Error('Disk says no')
    commits.push(ops.map((op) => op.key))
  })
  const op = (key: string) => [{ bucket: 'a', key, value: new Uint8Array() }]
  const results = await Promise.allSettled([group.write(op('one')), group.write(op('bad')), group.write(op('two'))])
  expect(results.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(commits).toEqual([['one'], ['two']])
  await Promise.all([group.write(op('a')), group.write(op('b')), group.write(op('c'))])
  expect(commits.at(-1)).toEqual(['a', 'b', 'c'])
})
