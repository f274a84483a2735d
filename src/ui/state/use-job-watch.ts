import { useEffect, useState } from 'react'
import { JobWatch } from './job-watch.ts'
import { useSession } from './node-context.ts'

/** The watch of one job for as long as the component is mounted; `null` for the first render. */
export function useJobWatch(jobId: string): JobWatch | null {
  const session = useSession()
  const [watch, setWatch] = useState<JobWatch | null>(null)
  useEffect(() => {
    const next = new JobWatch(session, jobId)
    setWatch(next)
    return () => next.stop()
  }, [session, jobId])
  return watch
}
