import { InvalidMessageError } from '../core/codec/errors.ts'
import type { NodeApi, ReceiptVerdict } from '../node/contract.ts'
import { type Job, specOf } from './job.ts'
import { Run } from './run.ts'

/**
 * A peer of the room, as a program uses it. `join` makes one.
 *
 * @example
 * const starling = await join({ relay: 'http://localhost:4000' })
 * for await (const { unit, outcome } of starling.run({ module, inputs: ['1', '2', '3'] })) {
 *   console.log(unit, new TextDecoder().decode(outcome.stdout))
 * }
 * await starling.leave()
 */
export class Starling {
  /** The whole contract with the node, for what the SDK has no word for: peers, lending, metrics, logs. */
  readonly node: NodeApi
  readonly #leave: () => Promise<void>
  #left: Promise<void> | undefined

  constructor(node: NodeApi, leave: () => Promise<void>) {
    this.node = node
    this.#leave = leave
  }

  /**
   * Gives a job to the room. Units start as soon as peers take them; nothing waits for the first `await`.
   *
   * @throws {@link InvalidMessageError} From the run, naming the field, its value and its limit, when the job is refused.
   */
  run(job: Job): Run {
    return new Run(
      this.node,
      async () => await this.node.submitJob(specOf(job, job.abi ?? (await this.#abiOf(job.module)))),
    )
  }

  /** Ends a job that was started here, in this program or an earlier one. */
  async cancel(jobId: string): Promise<void> {
    await this.node.cancelJob(jobId)
  }

  /** Checks a receipt from its bytes alone: signature, meaning, and the attestations that came with it. */
  async verifyReceipt(bytes: Uint8Array): Promise<ReceiptVerdict> {
    return await this.node.verifyReceipt(bytes)
  }

  /** Stops what `join` started: a Node peer goes away; a page's node, which the page owns, goes on. */
  async leave(): Promise<void> {
    this.#left ??= this.#leave()
    await this.#left
  }

  async #abiOf(module: Uint8Array): Promise<'wasi-command' | 'reactor'> {
    const { abi } = await this.node.inspectModule(module)
    if (abi !== null) return abi
    throw new InvalidMessageError(
      'The module is neither a WASI command (exports _start) nor a reactor (exports starling_run)',
      {
        field: 'module',
      },
    )
  }
}
