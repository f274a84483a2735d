/**
 * Writes docs/LIMITS.md from the `limits.ts` of every folder: name, value and the reason that stands beside it.
 * `node scripts/limits.ts` writes; a test holds the document to the code.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DOCUMENT = join(ROOT, 'docs', 'LIMITS.md')

const HEAD = `# Limits

Every queue, buffer, count, size and time of Starling has a bound, and what goes over one is refused by name with the field, the
value and the limit. This page is made from the code: \`node scripts/limits.ts\` writes it, and a test holds the two together.
Names end in their unit.
`

/** Several declarations may share the comment above the first; a blank line ends it. */
const DECLARATION = /^export const ([A-Z][A-Z0-9_]*)(?:: [^=]+)? = ([^\n]+(?:\n {2}[^\n]+|\n\})*)/

interface Limit {
  readonly name: string
  readonly value: string
  readonly reason: string
}

/** The document as the code wants it now. */
export function limitsDocument(): string {
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === 'limits.ts')
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
  const sections = files.map((file) => {
    const rows = limitsOf(readFileSync(join(ROOT, file), 'utf8')).map(
      ({ name, value, reason }) => `| \`${name}\` | ${value} | ${reason} |`,
    )
    return `## ${file}\n\n| name | value | why |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return [HEAD, ...sections].join('\n')
}

function limitsOf(text: string): Limit[] {
  const limits: Limit[] = []
  let reason = ''
  for (const block of text.split(/\n(?=\/\*\*|export const |\n)/)) {
    const trimmed = block.trim()
    const comment = /^\/\*\*([\s\S]*?)\*\//.exec(trimmed)
    if (comment !== null) reason = flat(comment[1] ?? '')
    const declaration = DECLARATION.exec(trimmed.replace(/^\/\*\*[\s\S]*?\*\/\s*/, ''))
    if (declaration === null) continue
    const [, name = '', value = ''] = declaration
    limits.push({ name, value: shown(value), reason })
  }
  return limits
}

function flat(comment: string): string {
  return comment
    .replaceAll(/^\s*\* ?/gm, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .replaceAll(/\{@link ([^}]+)\}/g, '`$1`')
    .trim()
}

/** Plain figures as they stand; records are for the source. */
function shown(value: string): string {
  if (value.startsWith('{') || value.startsWith('[') || value.length > 60) return 'see the source'
  return `\`${value.replaceAll('|', '\\|').trim()}\``
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DOCUMENT, limitsDocument())
