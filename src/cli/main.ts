import { CommanderError } from 'commander'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { Lifetime } from './lifetime.ts'
import { createProgram } from './program.ts'
import { Terminal } from './terminal.ts'

let terminal = new Terminal()
const lifetime = new Lifetime((line) => terminal.complain(line))

const program = createProgram((options) => {
  terminal = new Terminal(options)
  return { terminal, lifetime }
})
for (const command of [program, ...program.commands]) command.exitOverride()

let code: number = EXIT.ok
try {
  await program.parseAsync()
  if (lifetime.signal === 'SIGINT') code = EXIT.interrupted
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message; help and version are no mistakes.
    code = error.exitCode === 0 ? EXIT.ok : EXIT.usage
  } else {
    code = exitCodeOf(error)
    terminal.endProgress()
    terminal.complain(`starling: ${error instanceof Error ? error.message : String(error)}`)
  }
}
await lifetime.end()
await terminal.flush()
// Sockets and workers of libraries may linger for minutes; everything of ours has stopped.
process.exit(code)
