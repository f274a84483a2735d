import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The TypeScript blocks of README.md, in their order. */
export function readmePrograms(): string[] {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
  return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
}

/** Writes a program into this package, where it may import it by its name; returns its path. */
export function placeProgram(name: string, text: string): string {
  const folder = join(ROOT, 'out', 'readme')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${name}.ts`)
  writeFileSync(path, text)
  return path
}
