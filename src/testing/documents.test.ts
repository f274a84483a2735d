import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { limitsDocument } from '../../scripts/limits.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

it('docs/LIMITS.md says what the code says (node scripts/limits.ts writes it)', () => {
  expect(readFileSync(join(ROOT, 'docs/LIMITS.md'), 'utf8')).toBe(limitsDocument())
})

it('every relative link in the documents leads somewhere', () => {
  const documents = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)]
  const broken: string[] = []
  for (const document of documents.filter((name) => name.endsWith('.md') && existsSync(join(ROOT, name)))) {
    const text = readFileSync(join(ROOT, document), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      if (!existsSync(join(ROOT, dirname(document), target))) broken.push(`${document}: ${target}`)
    }
  }
  expect(broken).toEqual([])
})
