/**
 * The browsers the end-to-end tests drive, installed where that is possible. Chromium must be there; a test that needs one of the
 * others says so and is counted as skipped when it is missing.
 */
import { aptInstall, canUseApt, onPath } from './browsers.ts'
import { ensureChromium } from './chromium.ts'

const say = (line: string): void => void process.stderr.write(`${line}\n`)

const OTHERS = [
  { program: ['firefox-esr', 'firefox'], packages: ['firefox-esr'] },
  { program: ['WebKitWebDriver'], packages: ['webkit2gtk-driver'] },
  { program: ['Xvfb'], packages: ['xvfb', 'xauth'] },
]

try {
  say(`chromium: ${ensureChromium(say)}`)
  for (const { program, packages } of OTHERS) {
    if (onPath(program) === null && canUseApt()) aptInstall(packages, say)
    say(`${packages[0]}: ${onPath(program) ?? 'not here; tests that need it will be skipped'}`)
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
