import { memo } from 'react'
import type { Architecture } from '../../../core/learning/model.ts'
import type { LearningTaskDetail } from '../../../node/learning-contract.ts'
import { bytes, count, duration, percent, plural, shortId, significant } from '../../format/number.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Panel } from '../../parts/panel.tsx'
import { Fact } from '../job/receipt-card.tsx'
import { MODE_WORDS, RULE_WORDS } from './words.ts'
import '../job/unit-sheet.css'

/** The model and the terms all members train by, in words. */
export const TermsPanel = memo(
  function TermsPanel({ task }: { readonly task: LearningTaskDetail }) {
    const { options, architecture, classes, parameters, modelBytes, modelHash } = task
    const { rule, privacy, validation } = options
    return (
      <Panel
        title="Model and terms"
        note="signed by its creator; the same for everybody"
        actions={<CopyButton text={modelHash} label="Copy hash" />}
      >
        <dl className="facts small">
          <Fact term="Model hash, equal at all members">
            <code title={modelHash}>{shortId(modelHash, 10, 8)}</code>
          </Fact>
          <Fact term="Layers">{layersOf(architecture)}</Fact>
          <Fact term="Parameters">{`${count(parameters)} (${bytes(modelBytes)})`}</Fact>
          <Fact term="Classes">{classesOf(classes)}</Fact>
          <Fact term="Rounds">{count(task.rounds)}</Fact>
          <Fact term="Members">{`${options.participantsMin} at least, ${options.participantsTarget} hoped for`}</Fact>
          <Fact term="Updates">{MODE_WORDS[options.mode].word}</Fact>
          <Fact term="Rule">
            {RULE_WORDS[rule.rule].word}
            {rule.rule === 'mean' ? '' : `, against ${rule.byzantineMax} hostile`}
            {rule.adaptiveClipping ? ', the longest cut' : ''}
            {rule.nearestNeighbourMixing ? ', neighbours mixed' : ''}
          </Fact>
          <Fact term="Largest change">{significant(options.clipNorm)}</Fact>
          <Fact term="Each round">{`${plural(options.localSteps, 'step')} of ${plural(options.batchSize, 'sample')}`}</Fact>
          <Fact term="Optimiser">{`${options.optimiser === 'sgd' ? 'SGD' : 'Adam'}, rate ${significant(options.learningRate)}`}</Fact>
          <Fact term="FedProx μ">{significant(options.proximalMu)}</Fact>
          <Fact term="Held back to test">{percent(validation.heldOutShare)}</Fact>
          <Fact term="Voted out when">{`loss grows ${significant(validation.updateLossFactorMax)}×`}</Fact>
          <Fact term="Time to train">{duration(options.trainMs)}</Fact>
          <Fact term="Noise">
            {privacy === null
              ? 'none'
              : `${significant(privacy.noiseMultiplier)}× the largest change, ε up to ${significant(privacy.epsilonMax)}`}
          </Fact>
          <Fact term="Task">
            <code title={task.taskId}>{shortId(task.taskId)}</code>
          </Fact>
        </dl>
      </Panel>
    )
  },
  // Terms never change; the model does.
  (last, next) => last.task.taskId === next.task.taskId && last.task.modelHash === next.task.modelHash,
)

const CLASSES_SHOWN = 12

function classesOf(classes: readonly string[]): string {
  const more = classes.length - CLASSES_SHOWN
  return classes.slice(0, CLASSES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

function layersOf(architecture: Architecture): string {
  if (architecture.kind === 'mlp') {
    const { inputs, hidden, outputs } = architecture
    return [inputs, ...hidden, outputs].join(' – ')
  }
  const { width, height, filters, hidden, outputs } = architecture
  return `${width} × ${height}, filters ${filters.join(' – ')}, ${hidden} – ${outputs}`
}
