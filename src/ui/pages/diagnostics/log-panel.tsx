import { Download } from 'lucide-react'
import { memo, useEffect, useMemo, useState } from 'react'
import type { LogEntry } from '../../../node/contract.ts'
import { plural } from '../../format/number.ts'
import { absolute, clockSeconds } from '../../format/time.ts'
import { LOG_LINES_MAX } from '../../limits.ts'
import { Button } from '../../parts/button.tsx'
import { Field } from '../../parts/controls.tsx'
import { Panel } from '../../parts/panel.tsx'
import { act } from '../../parts/toasts.tsx'
import { useSession } from '../../state/node-context.ts'
import { saveBlob } from '../job/downloads.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

const LEVEL_WORDS: Readonly<Record<Level, string>> = {
  debug: 'Everything',
  info: 'What happened, and worse',
  warn: 'Warnings and errors',
  error: 'Errors only',
}

/** The node's own log, newest first, from a chosen level on. */
export function LogPanel() {
  const session = useSession()
  const [entries, setEntries] = useState<readonly LogEntry[]>([])
  const [level, setLevel] = useState<Level>('info')
  useEffect(() => {
    let stopped = false
    void session.api.logs().then(
      (all) =>
        stopped
          ? undefined
          : setEntries((fresh) => [...all.filter((entry) => entry.at < (fresh[0]?.at ?? Infinity)), ...fresh]),
      () => undefined,
    )
    const unlisten = session.listen((event) => {
      if (event.type === 'log') setEntries((last) => [...last, ...event.entries].slice(-2 * LOG_LINES_MAX))
    })
    return () => {
      stopped = true
      unlisten()
    }
  }, [session])
  const shown = useMemo(() => {
    const from = LEVELS.indexOf(level)
    return entries
      .filter((entry) => LEVELS.indexOf(entry.level) >= from)
      .slice(-LOG_LINES_MAX)
      .reverse()
  }, [entries, level])
  const save = async (): Promise<void> => {
    const all = await session.api.logs()
    const lines = all.map(
      ({ at, level, scope, message }) => `${new Date(at).toISOString()} ${level} ${scope} ${message}\n`,
    )
    saveBlob('starling.log', new Blob(lines, { type: 'text/plain' }))
  }
  return (
    <Panel
      title="Log"
      note={plural(shown.length, 'line')}
      actions={
        <Button icon={<Download aria-hidden="true" />} onClick={() => act('Saving the log', save)}>
          Save all
        </Button>
      }
    >
      <div className="stack">
        <Field label="Show">
          {(ids) => (
            // The values of the options are the levels.
            <select
              {...ids}
              className="input log-level"
              value={level}
              onChange={(event) => setLevel(event.target.value as Level)}
            >
              {LEVELS.map((each) => (
                <option key={each} value={each}>
                  {LEVEL_WORDS[each]}
                </option>
              ))}
            </select>
          )}
        </Field>
        <ol
          className="log"
          aria-label="Log lines, newest first"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
        >
          {shown.map((entry, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: counted from the oldest, a line keeps its number
            <LogLine key={shown.length - at} entry={entry} />
          ))}
          {shown.length === 0 ? <li className="quiet">No line of this level yet.</li> : null}
        </ol>
      </div>
    </Panel>
  )
}

const LogLine = memo(function LogLine({ entry }: { readonly entry: LogEntry }) {
  return (
    <li className={`log-line log-${entry.level}`}>
      <time title={absolute(entry.at)}>{clockSeconds(entry.at)}</time>
      <span className="log-word">{entry.level}</span>
      <span>
        <span className="quiet">{entry.scope}</span> {entry.message}
      </span>
    </li>
  )
})
