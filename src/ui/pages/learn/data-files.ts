/** What the files are that somebody chose, told by their bytes and names. */

/** A file as far as it must be seen to tell what it is. */
export interface FileFace {
  /** With the folders above it when a folder was chosen. */
  readonly path: string
  /** MIME type as the browser has it; may be empty. */
  readonly type: string
  /** The first bytes. */
  readonly head: Uint8Array
}

export type SortedFiles =
  | { readonly kind: 'csv'; readonly file: number }
  | { readonly kind: 'idx'; readonly images: number; readonly labels: number }
  /** `labels[i]` is what the picture `pictures[i]` shows. */
  | { readonly kind: 'pictures'; readonly pictures: readonly number[]; readonly labels: readonly string[] }

export const HEAD_BYTES = 4

type FileKind = 'csv' | 'idx-images' | 'idx-labels' | 'picture' | 'other'

/**
 * Which data these files are. Hidden files are passed over.
 *
 * @throws An error that says, for a person, what does not go together.
 */
export function sortFiles(files: readonly FileFace[]): SortedFiles {
  const seen = files
    .map((file, at) => ({ at, kind: kindOf(file), path: file.path }))
    .filter(({ path }) => !baseName(path).startsWith('.'))
  const of = (kind: FileKind) => seen.filter((each) => each.kind === kind)
  const [pictures, tables, images, labels] = [of('picture'), of('csv'), of('idx-images'), of('idx-labels')]
  const kinds = [pictures, tables, [...images, ...labels]].filter((list) => list.length > 0).length
  if (kinds > 1) throw new Error('These files are of different kinds; choose one table, or two IDX files, or pictures')
  if (kinds === 0) throw new Error(`${nameOf(seen[0]?.path)} is no CSV table, no IDX file and no picture`)
  if (tables[0] !== undefined) {
    if (tables.length > 1) throw new Error(`These are ${tables.length} tables; choose one`)
    return { kind: 'csv', file: tables[0].at }
  }
  if (pictures.length > 0) return sortPictures(pictures)
  if (images.length !== 1 || labels.length !== 1 || images[0] === undefined || labels[0] === undefined) {
    const found = `${images.length} with pictures and ${labels.length} with labels`
    throw new Error(`IDX data is two files, one with pictures and one with labels; these are ${found}`)
  }
  return { kind: 'idx', images: images[0].at, labels: labels[0].at }
}

function sortPictures(pictures: readonly { readonly at: number; readonly path: string }[]): SortedFiles {
  const labels = pictures.map(({ path }) => pictureLabel(path))
  const unnamed = labels.indexOf(null)
  if (unnamed >= 0) {
    const example = nameOf(pictures[unnamed]?.path)
    throw new Error(
      `${example} does not say what it shows: put pictures into a folder for each class, or name them such as cat-1.png`,
    )
  }
  // None is null: see above.
  return { kind: 'pictures', pictures: pictures.map(({ at }) => at), labels: labels as string[] }
}

/** The class of a picture: the folder it is in, else the beginning of its name (`cat-1.png`, `7_0031.png`, `cat12.jpg`). */
export function pictureLabel(path: string): string | null {
  const folders = path.split('/').slice(0, -1)
  // The outermost folder is the one that was chosen.
  if (folders.length >= 2) return folders.at(-1) ?? null
  const name = baseName(path).replace(/\.\w+$/, '')
  const [first = '', ...rest] = name.split(/[-_. ]/)
  if (rest.length > 0) return first || null
  return /^(\p{L}+)\d+$/u.exec(name)?.[1] ?? null
}

function kindOf({ path, type, head }: FileFace): FileKind {
  const name = baseName(path).toLowerCase()
  // IDX: two zeros, the type of unsigned bytes, and how many dimensions.
  if (head[0] === 0 && head[1] === 0 && head[2] === 8) return head[3] === 3 ? 'idx-images' : 'idx-labels'
  if (/\.gz$/.test(name) && name.includes('idx3')) return 'idx-images'
  if (/\.gz$/.test(name) && name.includes('idx1')) return 'idx-labels'
  if (type.startsWith('image/') || /\.(png|jpe?g|webp|gif|bmp|avif)$/.test(name)) return 'picture'
  if (/\.(csv|tsv|txt)(\.gz)?$/.test(name) || type === 'text/csv') return 'csv'
  return 'other'
}

const baseName = (path: string): string => path.split('/').at(-1) ?? path
const nameOf = (path: string | undefined): string => (path === undefined ? 'There' : `“${baseName(path)}”`)

/** Which column most likely holds the class: by its name, else the last. */
export function guessLabelColumn(header: readonly string[]): string {
  const named = header.find((name) => /^(label|class|target|species|category|diagnosis|outcome|y)$/i.test(name))
  return named ?? header.at(-1) ?? ''
}
