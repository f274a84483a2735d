import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { lookup } from 'mrmime'
import { PageFilesError } from './errors.ts'
import { PAGE_BYTES_MAX, PAGE_FILES_MAX } from './limits.ts'

export interface PageFile {
  /** As asked for: starts with `/`. */
  readonly path: string
  readonly type: string
  /** Of the uncompressed bytes, quoted and strong. */
  readonly etag: string
  readonly bytes: Buffer
  readonly brotli: Buffer | null
  readonly gzip: Buffer | null
}

/**
 * The built page, read once. A request is looked up in a map of paths and never touches the disk, so there is no path that could lead
 * out of the folder, and a build that runs meanwhile cannot be served by halves.
 */
export type PageFiles = ReadonlyMap<string, PageFile>

function pathsBelow(folder: string, prefix: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name.startsWith('.')) return []
    if (entry.isDirectory()) return pathsBelow(join(folder, entry.name), `${prefix}${entry.name}/`)
    // Links are left out: they may point anywhere.
    return entry.isFile() ? [`${prefix}${entry.name}`] : []
  })
}

function contentType(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream'
  return /^text\/|javascript|json|svg/.test(type) ? `${type}; charset=utf-8` : type
}

/**
 * Reads every file below `folder` with the `.br` and `.gz` beside it; hidden files and links are left out.
 *
 * @throws {@link PageFilesError} When there is no index.html, or more files or bytes than fit.
 */
export function readPageFiles(folder: string): PageFiles {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new PageFilesError(`No index.html in ${folder}: build the page first (npm run build)`, {
      field: 'folder',
      value: folder,
    })
  }
  const paths = pathsBelow(folder, '/')
  if (paths.length > PAGE_FILES_MAX) {
    throw new PageFilesError(`${folder} holds ${paths.length} files, the limit is ${PAGE_FILES_MAX}`)
  }
  const size = paths.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0)
  if (size > PAGE_BYTES_MAX) throw new PageFilesError(`${folder} holds ${size} bytes, the limit is ${PAGE_BYTES_MAX}`)
  const all = new Set(paths)
  const read = (path: string): Buffer | null => (all.has(path) ? readFileSync(join(folder, path)) : null)
  const files = new Map<string, PageFile>()
  for (const path of paths) {
    const original = path.replace(/\.(br|gz)$/, '')
    if (original !== path && all.has(original)) continue
    const bytes = readFileSync(join(folder, path))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`
    files.set(path, {
      path,
      type: contentType(path),
      etag,
      bytes,
      brotli: read(`${path}.br`),
      gzip: read(`${path}.gz`),
    })
  }
  return files
}

/**
 * The file for a decoded path. A path that looks like a view of the application (no extension in its last part) gets index.html, when the
 * client asks for a page.
 */
export function findPageFile(files: PageFiles, path: string, wantsPage: boolean): PageFile | null {
  const file = files.get(path === '/' ? '/index.html' : path)
  if (file !== undefined) return file
  const isView = !/\.[^/]*$/.test(path) && !path.startsWith('/assets/') && !path.startsWith('/.')
  return wantsPage && isView ? (files.get('/index.html') ?? null) : null
}

/** The best encoding the client takes; `q=0` refuses one. */
export function encodingOf(accepted: string | undefined, file: PageFile): 'br' | 'gzip' | null {
  const offers = new Map(
    (accepted ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/)
      return [name, parameters.every((parameter) => !/^q=0(\.0*)?$/.test(parameter))] as const
    }),
  )
  const takes = (name: string): boolean => offers.get(name) ?? offers.get('*') ?? false
  if (file.brotli !== null && takes('br')) return 'br'
  if (file.gzip !== null && takes('gzip')) return 'gzip'
  return null
}
