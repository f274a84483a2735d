import { describe, expect, it } from 'vitest'
import { learningTask } from '../../testing/learning-fixtures.ts'
import { testSigner, testVerifier } from '../../testing/signers.ts'
import { signStatement } from '../identity/statement.ts'
import type { LearningTask } from './task.ts'
import { learningTaskId, signLearningTask, validateLearningTask, verifyLearningTask } from './task.ts'

const signer = testSigner(0)
const good = learningTask(signer.author)
const stamp = { network: 'net', seq: 1, timestampMs: 5, nonce: new Uint8Array(16) }

const noise = (noiseMillionths: number) =>
  ({ mode: 'distributed', noiseMillionths, epsilonMillionths: 1_000_000, deltaBillionths: 10_000 }) as const

describe('[G1] validateLearningTask', () => {
  it('takes a good task as it is', () => {
    expect(validateLearningTask(good)).toEqual(good)
  })

  const bad: readonly (readonly [string, Partial<Record<keyof LearningTask, unknown>>])[] = [
    ['task.classes', { classes: ['a', 'b', 'c'] }],
    ['task.classes', { classes: ['a', 'a'] }],
    ['task.architecture', { architecture: { kind: 'mlp', inputs: 65_536, hidden: [65_536], outputs: 2 } }],
    ['task.participantsMin', { participantsMin: 1 }],
    ['task.participantsMin', { rule: { rule: 'krum', byzantineMax: 1 } }],
    ['task.participantsTarget', { participantsTarget: 101 }],
    ['task.participantsTarget', { participantsMin: 4 }],
    ['task.rule', { rule: { rule: 'mean', byzantineMax: 1 } }],
    ['task.rule', { mode: 'secure-sum', rule: { rule: 'median', byzantineMax: 1 } }],
    ['task.rounds', { rounds: 1_001 }],
    ['task.trainMs', { trainMs: 199 }],
    ['task.clipNorm', { clipNorm: 0 }],
    ['task.nonce', { nonce: new Uint8Array(15) }],
    [
      'task.privacy.mode',
      { privacy: { mode: 'distributed', noiseMillionths: 1, epsilonMillionths: 1, deltaBillionths: 1 } },
    ],
    ['task.participantsMin', { mode: 'secure-sum', participantsMin: 2 }],
    ['task.clipNorm', { mode: 'secure-sum', clipNorm: 30_000_000 }],
    ['task.privacy.noiseMillionths', { mode: 'secure-sum', privacy: noise(100_000_000) }],
    ['task.privacy.noiseMillionths', { privacy: { ...noise(1), mode: 'local' } }],
    // Three groups of four for a median that withstands one.
    [
      'task.participantsMin',
      { mode: 'grouped', rule: { rule: 'median', byzantineMax: 1 }, participantsMin: 11, participantsTarget: 20 },
    ],
    ['task.training.localSteps', { training: { ...good.training, localSteps: 0 } }],
    ['task.validation.heldOutMillionths', { validation: { ...good.validation, heldOutMillionths: 600_000 } }],
  ]
  for (const [field, changes] of bad) {
    it(`refuses ${JSON.stringify(changes).slice(0, 80)}, naming ${field}`, () => {
      expect(() => validateLearningTask({ ...good, ...changes })).toThrow(field)
    })
  }

  it('[GS7] takes secret sums that can come about, and says by how much one would leave 32 bits', () => {
    const rule = { rule: 'median', byzantineMax: 1 } as const
    for (const changes of [
      { mode: 'secure-sum', privacy: noise(1_000_000) } as const,
      { mode: 'grouped', rule, participantsMin: 12, participantsTarget: 15 } as const,
    ])
      expect(validateLearningTask({ ...good, ...changes })).toMatchObject(changes)
    const wide = { ...good, mode: 'secure-sum', clipNorm: 30_000_000 }
    expect(() => validateLearningTask(wide)).toThrow(/SumOverflowError.*3000000000, limit 2147483647/)
  })

  it('refuses a field that is not known', () => {
    expect(() => validateLearningTask({ ...good, leader: signer.author })).toThrow('task')
  })
})

describe('[G2] a signed task', () => {
  it('comes back with its id', async () => {
    const signed = await signLearningTask(good, { ...stamp, signer })
    const { task, id } = await verifyLearningTask(signed.bytes, { network: 'net', verifier: testVerifier })
    expect(task).toEqual(good)
    expect(id).toBe(learningTaskId(good))
    expect(learningTaskId({ ...good, name: 'Other' })).not.toBe(id)
  })

  it('is refused in another network, from another author and when it was changed', async () => {
    const options = { network: 'net', verifier: testVerifier }
    const foreign = await signLearningTask(good, { ...stamp, network: 'other', signer })
    await expect(verifyLearningTask(foreign.bytes, options)).rejects.toMatchObject({ name: 'ForeignStatementError' })
    const stolen = await signStatement({ ...stamp, kind: 'learning-task', body: good }, testSigner(1))
    await expect(verifyLearningTask(stolen.bytes, options)).rejects.toThrow('task.creator')
    const { bytes } = await signLearningTask(good, { ...stamp, signer })
    const changed = bytes.slice()
    changed[changed.length - 70] = (changed[changed.length - 70] as number) ^ 1
    await expect(verifyLearningTask(changed, options)).rejects.toThrow()
  })
})
