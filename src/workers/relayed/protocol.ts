/** What the node worker asks of its window: a worker to be made, or ended. */
export type WorkersRequest =
  | {
      readonly type: 'make'
      readonly id: number
      /** Absolute address of the script. */
      readonly url: string
      readonly options: WorkerOptions
      /** What the new worker talks through; transferred. */
      readonly port: MessagePort
    }
  | { readonly type: 'end'; readonly id: number }

/** What the window tells of a worker that it made: its script could not be loaded, or threw. */
export interface WorkersFailure {
  readonly id: number
  readonly message: string
}

/** At the end of the name of a worker that gets a port to talk through as its first message. */
export const RELAYED_NAME_SUFFIX = '-relayed'
