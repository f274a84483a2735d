/**
 * Runs folders of WASI preview 1 tests in the format of WebAssembly/wasi-testsuite and prints what passed:
 * `node src/testing/wasi/run.ts DIR [DIR…]`. Exits 1 when a test failed, 2 without a folder.
 */
import { runSuite } from './suite.ts'

const folders = process.argv.slice(2)
if (folders.length === 0) {
  console.error('Usage: node src/testing/wasi/run.ts DIR [DIR…]')
  process.exit(2)
}
let passed = 0
let total = 0
for (const folder of folders) {
  for (const { name, failures } of runSuite(folder)) {
    total++
    if (failures.length === 0) passed++
    console.log(`${failures.length === 0 ? 'pass' : 'FAIL'} ${name}`)
    for (const failure of failures) console.log(`     ${failure}`)
  }
}
console.log(`${passed} of ${total} passed`)
process.exitCode = passed === total ? 0 : 1
