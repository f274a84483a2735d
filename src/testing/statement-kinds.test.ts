import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { STATEMENT_KINDS } from '../core/identity/statement-kinds.ts'

it('docs/PROTOCOL.md lists every kind of statement, and how it takes being seen again', () => {
  const text = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8')
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| (evidence|newest|once) \|/gm)]
  expect(Object.fromEntries(rows.map(([, kind, seen]) => [kind, seen]))).toEqual(STATEMENT_KINDS)
  expect(rows).toHaveLength(Object.keys(STATEMENT_KINDS).length)
})
