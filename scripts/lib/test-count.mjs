/** @typedef {{ passed: number, failed: number, skipped: number }} Count */

/**
 * Counts a vitest JSON report. A file that could not be loaded has no test in it and still is a failure; so is a run without a report.
 *
 * @param {any} report @param {boolean} ok Whether vitest ended with code 0.
 * @returns {Count}
 */
export function countOf(report, ok) {
  if (report === null) return { passed: 0, failed: 1, skipped: 0 }
  const broken = report.testResults.filter(
    (/** @type {any} */ file) =>
      file.status === 'failed' && file.assertionResults.every((/** @type {any} */ test) => test.status !== 'failed'),
  )
  const failed = report.numFailedTests + broken.length
  return {
    passed: report.numPassedTests,
    // An error outside of any test (an unhandled rejection) ends vitest with a code and leaves every test green.
    failed: failed === 0 && !ok ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/**
 * The failed tests of a vitest JSON report, each with the first line of its error; a file that could not be loaded stands for itself.
 *
 * @param {any} report @returns {string[]}
 */
export function failuresOf(report) {
  return (report?.testResults ?? []).flatMap((/** @type {any} */ file) => {
    if (file.status !== 'failed') return []
    const tests = file.assertionResults.filter((/** @type {any} */ test) => test.status === 'failed')
    if (tests.length === 0) return [`${file.name}: ${firstLine(file.message)}`]
    return tests.map(
      (/** @type {any} */ test) => `${file.name}: ${test.fullName}: ${firstLine(test.failureMessages?.[0])}`,
    )
  })
}

/** @param {string | undefined} text */
const firstLine = (text) => text?.split('\n')[0] ?? ''

/** @param {Count} count @returns {string} `N passed, N failed`, with `, N skipped` when any were. */
export function totalLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}
