/**
 * Which example and choices a job came from, so that its page can sum its results up after a reload. Only this device knows; a job
 * without one shows its results plainly.
 */
export interface JobOrigin {
  readonly example: string
  readonly values: Readonly<Record<string, string>>
}

const KEY = 'starling.job-origins'
const ORIGINS_MAX = 200

export function rememberOrigin(jobId: string, origin: JobOrigin): void {
  const entries = Object.entries(readAll()).filter(([id]) => id !== jobId)
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries([...entries, [jobId, origin]].slice(-ORIGINS_MAX))))
  } catch {
    // Storage is full or forbidden: the job runs all the same.
  }
}

export function originOf(jobId: string): JobOrigin | null {
  return readAll()[jobId] ?? null
}

function readAll(): Record<string, JobOrigin> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<string, JobOrigin>
  } catch {
    return {}
  }
}
