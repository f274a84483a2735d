import { useCallback, useEffect, useRef, useState } from 'react'
import type { LabSetting } from '../../../../core/learning/lab-setting.ts'
import { LabClient } from '../../../../workers/lab/client.ts'
import { spawnLab } from '../../../../workers/lab/spawn.ts'
import { errorText } from '../../../state/session.ts'
import { addRound, emptyCurves, type LabCurves } from './lab-curves.ts'

/** Curves grow at most this often; rounds may come a hundred in a second. */
const DRAW_MS = 120

/** A run of the lab, while it goes on and after. */
export interface LabRun {
  readonly setting: LabSetting
  readonly curves: LabCurves
  readonly state: 'running' | 'done' | 'stopped' | 'failed'
  /** Why it failed. */
  readonly error: string | null
}

export interface LabControls {
  /** The last run, null before the first. */
  readonly run: LabRun | null
  readonly start: (setting: LabSetting) => void
  readonly stop: () => void
}

/** Runs settings in a worker of this page, which ends with it. */
export function useLabRun(): LabControls {
  const [run, setRun] = useState<LabRun | null>(null)
  const client = useRef<LabClient | null>(null)
  useEffect(
    () => () => {
      client.current?.terminate()
      client.current = null
    },
    [],
  )
  const start = useCallback((setting: LabSetting) => {
    client.current ??= new LabClient(spawnLab)
    follow(client.current, setting, setRun)
  }, [])
  const stop = useCallback(() => client.current?.stop(), [])
  return { run, start, stop }
}

function follow(client: LabClient, setting: LabSetting, show: (run: LabRun) => void): void {
  let curves = emptyCurves(setting)
  let drawn: ReturnType<typeof setTimeout> | null = null
  const draw = (state: LabRun['state'], error: string | null): void => {
    if (drawn !== null) clearTimeout(drawn)
    drawn = null
    show({ setting, curves, state, error })
  }
  const running = client.run(setting, (reports) => {
    curves = addRound(curves, reports)
    drawn ??= setTimeout(() => draw('running', null), DRAW_MS)
  })
  draw('running', null)
  running.then(
    () => draw('done', null),
    (error: Error) => (error.name === 'LabStoppedError' ? draw('stopped', null) : draw('failed', errorText(error))),
  )
}
