import { useCallback, useEffect, useState } from 'react'
import type { NodeApi, NodeEvent } from '../../node/contract.ts'
import type { LearningTaskDetail, LearningTaskSummary } from '../../node/learning-contract.ts'
import { LEARNING_REFRESH_MS, LEARNING_RESYNC_MS } from '../limits.ts'
import { coalesce } from './coalesce.ts'
import { useSession } from './node-context.ts'
import { errorText } from './session.ts'

interface Heard<T> {
  /** `undefined` while asking for the first time. */
  readonly value: T | undefined
  /** Why the last look failed; the value stays. */
  readonly error: string | null
  readonly reload: () => void
}

/** Every learning task that is known here. */
export function useLearningTasks(): Heard<readonly LearningTaskSummary[]> {
  return useHeard(
    useCallback((node: NodeApi) => node.learningTasks(), []),
    null,
  )
}

/** One task with all that is known of it; `null` when there is none of this id. */
export function useLearningTask(taskId: string): Heard<LearningTaskDetail | null> {
  return useHeard(
    useCallback((node: NodeApi) => node.learningTask(taskId), [taskId]),
    taskId,
  )
}

/** Reads again when the node says that learning went on, at most twice a second, and now and then should a word of it be missed. */
function useHeard<T>(read: (node: NodeApi) => Promise<T>, taskId: string | null): Heard<T> {
  const session = useSession()
  const [state, setState] = useState<Omit<Heard<T>, 'reload'>>({ value: undefined, error: null })
  const [turn, setTurn] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn is a wish to read now
  useEffect(() => {
    let stopped = false
    const feed = coalesce(async () => {
      try {
        const value = await read(session.api)
        if (!stopped) setState({ value, error: null })
      } catch (error) {
        if (!stopped) setState((last) => ({ value: last.value, error: errorText(error) }))
      }
    }, LEARNING_REFRESH_MS)
    const look = (): void => {
      if (document.visibilityState === 'visible') feed.request()
    }
    const hear = (event: NodeEvent): void => {
      if (event.type === 'learning' && (taskId === null || event.summary.taskId === taskId)) look()
    }
    const unlisten = session.listen(hear)
    const timer = setInterval(look, LEARNING_RESYNC_MS)
    document.addEventListener('visibilitychange', look)
    feed.request()
    return () => {
      stopped = true
      unlisten()
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
      feed.stop()
    }
  }, [session, read, taskId, turn])
  const reload = useCallback(() => setTurn((last) => last + 1), [])
  return { ...state, reload }
}
