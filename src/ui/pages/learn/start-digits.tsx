import { GraduationCap } from 'lucide-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { plural } from '../../format/number.ts'
import { Button } from '../../parts/button.tsx'
import { act } from '../../parts/toasts.tsx'
import { useNode, useSnapshot } from '../../state/node-context.ts'
import { sharesOf } from './data-wants.ts'
import { FRESH, readDraft } from './draft.ts'
import { firstShareOf } from './first-share.ts'

/** Members with whom one hostile update can be told from the others. */
const ROBUST_MEMBERS = 3

/** So few steps a round that one sees it learn from round to round. */
const VISIBLE_STEPS = '15'

/** One button from nothing to a model that trains with whoever is here. */
export function StartDigits() {
  const node = useNode()
  const [, navigate] = useLocation()
  const peers = useSnapshot((snapshot) => snapshot.network.peers, 0)
  const self = useSnapshot((snapshot) => snapshot.peerId, '')
  const [starting, setStarting] = useState(false)
  const start = async (): Promise<void> => {
    setStarting(true)
    try {
      const members = Math.min(20, Math.max(2, peers + 1))
      const robust = members >= ROBUST_MEMBERS
      const summary = await node.inspectLearningData({ kind: 'bundled', name: 'digits' })
      const least = String(robust ? ROBUST_MEMBERS : 2)
      const numbers = {
        ...FRESH.numbers,
        localSteps: VISIBLE_STEPS,
        participantsMin: least,
        participantsTarget: String(members),
      }
      const { spec } = readDraft({ ...FRESH, rule: robust ? 'trimmed-mean' : 'mean', numbers }, summary)
      if (spec === null) throw new Error('The bundled digits could not be read')
      const taskId = await node.createLearningTask({
        ...spec,
        description: 'Reads handwritten digits. Every member trains on another share of 4,000 that ship with Starling.',
      })
      const of = sharesOf({ participantsTarget: members })
      await node.joinLearning(taskId, { kind: 'bundled', name: 'digits', part: { index: firstShareOf(self, of), of } })
      navigate(`/learn/${taskId}`)
    } finally {
      setStarting(false)
    }
  }
  return (
    <div className="stack stack-tight learn-start">
      <Button
        look="primary"
        icon={<GraduationCap aria-hidden="true" />}
        disabled={starting}
        onClick={() => act('Starting the digit classifier', start)}
      >
        {starting ? 'Setting it up' : 'Train a digit classifier with the people in this room'}
      </Button>
      <p className="quiet small">
        {peers + 1 >= ROBUST_MEMBERS
          ? `${plural(peers, 'other tab')} here can join. `
          : 'It begins once others join: two tabs are enough, three can also find out a cheat. '}
        It takes about half a minute, uses digits that ship with Starling, and nothing of yours.
      </p>
    </div>
  )
}
