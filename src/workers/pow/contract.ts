/** What the guesses of one proof have in common. */
export interface WorkInit {
  /** 32 bytes: the salt. */
  readonly challenge: Uint8Array
  readonly memoryKibibytes: number
  readonly passes: number
  readonly difficultyBits: number
}

/** To the worker: try these nonces. One at a time; the answer comes when all are tried or one is good. */
export interface MineRequest {
  readonly type: 'mine'
  readonly id: number
  readonly work: WorkInit
  readonly first: bigint
  readonly count: number
}

/** From the worker: ready for work, or how a request ended. */
export type MinerMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'tried'
      readonly id: number
      readonly hashes: number
      readonly durationMs: number
      /** The nonce that is good. */
      readonly found: bigint | null
    }
  | { readonly type: 'fault'; readonly id: number; readonly message: string }

export interface MinerWorker {
  post(message: MineRequest): void
  terminate(): void
}

/** Starts a worker; each platform has its own. */
export type SpawnMiner = (events: { message(message: MinerMessage): void; failed(reason: string): void }) => MinerWorker
