import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = join(ROOT, 'out', 'readme-types')
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
const TIMEOUT_MS = 120_000

/** Compiles a program as somebody would who imports this package; the compiler's complaints. */
async function complaints(name: string, text: string): Promise<string> {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(join(FOLDER, `${name}.ts`), text)
  const config = {
    extends: '../../tsconfig.node.json',
    compilerOptions: { types: ['node'] },
    include: [`${name}.ts`, '../../src/node/*.d.ts'],
    exclude: [],
  }
  writeFileSync(join(FOLDER, `${name}.json`), JSON.stringify(config))
  const compiled = promisify(execFile)(process.execPath, [TSC, '-p', join(FOLDER, `${name}.json`)])
  return await compiled.then(
    () => '',
    // Mistakes elsewhere are the business of `npm run types`.
    ({ stdout }: { stdout: string }) =>
      stdout
        .split('\n')
        .filter((line) => line.includes(`${name}.ts(`))
        .join('\n'),
  )
}

it(
  'the programs of the README compile, and one with a mistake does not',
  async () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const programs = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
    expect(programs.length).toBeGreaterThan(0)
    for (const [i, program] of programs.entries()) expect(await complaints(`program-${i}`, program)).toBe('')
    const [first = ''] = programs
    expect(await complaints('mistake', first.replace('inputs:', 'input:'))).toContain('inputs')
  },
  TIMEOUT_MS,
)
