// Progress goes to stderr, so that stdout carries nothing but results and can be piped.

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

/** @param {number} startedMs of `performance.now()` */
export function seconds(startedMs) {
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
}
