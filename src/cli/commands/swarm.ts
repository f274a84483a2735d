import { withOwnInvite } from '../../node/own-invite.node.ts'
import { openTabs, type TabState } from '../tabs.ts'
import type { Context } from './context.ts'

/** How often the tabs are asked what they do. */
const LOOK_INTERVAL_MS = 1_000

export interface SwarmOptions {
  readonly relay: string
  readonly nodes: number
}

/** `starling swarm`: headless tabs that lend, until somebody stops them. */
export async function swarmCommand(options: SwarmOptions, { terminal, lifetime }: Context): Promise<void> {
  const started = performance.now()
  const tabs = await openTabs(withOwnInvite(options.relay), options.nodes, { terminal, lifetime })
  const startMs = Math.round(performance.now() - started)
  const states = await tabs.states()
  if (terminal.json)
    await terminal.writeJson({ nodes: tabs.count, startMs, peers: states.map((state) => state.peerId) })
  else
    terminal.say(
      `${tabs.count} tabs lend at ${options.relay} (started in ${(startMs / 1000).toFixed(1)} s); Ctrl-C stops them`,
    )
  const timer = setInterval(() => void tabs.states().then((now) => terminal.progress(swarmText(now))), LOOK_INTERVAL_MS)
  await lifetime.untilInterrupted()
  clearInterval(timer)
  terminal.endProgress()
}

function swarmText(states: readonly TabState[]): string {
  const sum = (pick: (state: TabState) => number): number => states.reduce((total, state) => total + pick(state), 0)
  const links = states.length === 0 ? 0 : sum((state) => state.direct) / states.length
  return `${states.length} tabs, ${links.toFixed(1)} direct peers each, ${sum((state) => state.active)} units running, ${sum((state) => state.unitsDone)} done`
}
