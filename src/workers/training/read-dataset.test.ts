/** Goal: files become samples, or are refused by name. Method: bytes as a user's disk may hold them. */
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { DatasetSource } from './contract.ts'
import { FILE_BYTES_MAX } from './limits.ts'
import { nodePlatform } from './platform.node.ts'
import { readCsv } from './read-csv.ts'
import { readDataset } from './read-dataset.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const csv = (text: string | Uint8Array, label: string | null = 'kind'): DatasetSource => ({
  kind: 'csv',
  file: typeof text === 'string' ? bytes(text) : text,
  schema: null,
  label,
  classes: null,
  incompleteRows: 'refuse',
})

async function refusal(source: DatasetSource): Promise<{ name: string; message: string }> {
  return readDataset(source, nodePlatform).then(
    () => ({ name: 'nothing', message: '' }),
    ({ name, message }: Error) => ({ name, message }),
  )
}

describe('readCsv', () => {
  it.each([
    ['commas', 'a,kind\n1,x\n2,y\n'],
    ['semicolons', 'a;kind\n1;x\n2;y\n'],
    ['tabs', 'a\tkind\n1\tx\n2\ty\n'],
    ['Windows line ends and empty lines', 'a,kind\r\n1,x\r\n\r\n2,y\r\n'],
    ['a byte order mark', '\ufeffa,kind\n1,x\n2,y'],
    ['spaces and quotes', ' a , "kind"\n 1 ,"x"\n2,y\n'],
  ])('reads %s', (_, text) => {
    const table = readCsv(bytes(text))
    expect(table.header.map((name) => name.replaceAll('"', ''))).toEqual(['a', 'kind'])
    expect(table.rows.map((row) => row[0])).toEqual(['1', '2'])
  })

  it('reads quoted delimiters, quotes and line ends', () => {
    expect(readCsv(bytes('a,kind\n"1,5","say ""x""\nnow"\n')).rows).toEqual([['1,5', 'say "x"\nnow']])
  })

  it.each([
    ['nothing', '', /0 rows/],
    ['a header alone', 'a,kind\n', /0 rows/],
    ['a quote that does not close', 'a,kind\n1,"x\n2,y\n', /row 0|Quoted field/],
  ])('refuses %s', (_, text, message) => {
    expect(() => readCsv(bytes(text))).toThrow(message)
    expect(() => readCsv(bytes(text))).toThrow(expect.objectContaining({ name: 'InvalidDatasetError' }))
  })

  it('refuses what is no UTF-8', () => {
    expect(() => readCsv(Uint8Array.of(0x61, 0xff, 0xfe))).toThrow('File csv is no UTF-8 text')
  })
})

describe('readDataset', () => {
  it('reads a table and tells its schema', async () => {
    const { samples, schema, dropped } = await readDataset(csv('a,kind\n1,x\n3,y\n'), nodePlatform)
    expect([...samples.values]).toEqual([-1, 1])
    expect(schema?.label).toEqual({ name: 'kind', values: ['x', 'y'] })
    expect(dropped).toBe(0)
  })

  it('reads a Blob, as a page gives it, and undoes gzip', async () => {
    const file = new Blob([gzipSync(bytes('a,kind\n1,x\n3,y\n'))])
    const { samples } = await readDataset({ ...csv(''), file } as DatasetSource, nodePlatform)
    expect([...samples.labels]).toEqual([0, 1])
  })

  it('reads the bundled digits', async () => {
    const { samples } = await readDataset({ kind: 'bundled' }, nodePlatform)
    expect(samples).toMatchObject({ features: 196, classes: 10, picture: { width: 14, height: 14 } })
    expect(samples.labels.length).toBe(4000)
    expect([...samples.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
  })

  it.each([
    ['a label column that is missing', csv('a,b\n1,x\n3,y\n'), 'InvalidDatasetError', /lacks the columns: kind/],
    ['no schema and no label', csv('a,b\n1,x\n', null), 'InvalidDatasetError', /neither a schema nor/],
    [
      'a damaged gzip file',
      csv(gzipSync(bytes('a,kind\n1,x\n')).subarray(0, -9)),
      'InvalidDatasetError',
      /damaged gzip/,
    ],
    [
      'pictures in Node',
      { kind: 'images', files: [], width: 8, height: 8, labels: null },
      'InvalidDatasetError',
      /a browser can/,
    ],
    [
      'a kind that is not known',
      { kind: 'url' } as unknown as DatasetSource,
      'InvalidDatasetError',
      /kind that is not known/,
    ],
  ] as const)('refuses %s', async (_, source, name, message) => {
    const error = await refusal(source as DatasetSource)
    expect(error.name).toBe(name)
    expect(error.message).toMatch(message)
  })

  it('refuses samples with NaN', async () => {
    const samples = {
      values: Float32Array.of(0, Number.NaN),
      labels: Uint8Array.of(0, 1),
      features: 1,
      classes: 2,
      labelNames: ['a', 'b'],
      picture: null,
    }
    expect(await refusal({ kind: 'samples', samples })).toEqual({
      name: 'InvalidDatasetError',
      message: 'Feature 0 of sample 1 is NaN, not finite',
    })
  })

  it('refuses a file over its limit before reading it', async () => {
    const file = {
      size: FILE_BYTES_MAX + 1,
      arrayBuffer: () => Promise.reject(new Error('it was read')),
    } as unknown as Blob
    expect(await refusal({ ...csv(''), file } as DatasetSource)).toMatchObject({ name: 'LimitExceededError' })
  })

  it('stops a gzip file that unpacks to too much', async () => {
    // 257 MiB of zeros are 256 KiB.
    const bomb = gzipSync(new Uint8Array(FILE_BYTES_MAX + 1024 * 1024))
    expect((await refusal(csv(bomb))).message).toMatch(/unpacks to more than/)
  })
})
