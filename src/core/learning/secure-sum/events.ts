import type { Hash, PeerId } from '../../codec/ids.ts'
import type { RosterStage, SecureSumContent, SecureSumMessage } from './messages.ts'

/** What a secure sum is told. */
export type SecureSumEvent =
  /** Take part: publishes this peer's keys. A peer that only watches leaves it out and still learns the sum. */
  /** `commitment`: to the input, where the terms ask for proofs. */
  | { readonly type: 'join'; readonly commitment?: Uint8Array }
  /** A statement with a good signature of this network. The peer's own come back this way too, once they are signed. */
  | { readonly type: 'message'; readonly message: SecureSumMessage }
  /** This peer's clipped (and noised) update, any time before or after the mask stage opens; copied. */
  | { readonly type: 'input'; readonly values: Int32Array }
  /** The bytes of a masked vector, as a block; checked against what its maker signed. */
  | { readonly type: 'values'; readonly of: PeerId; readonly bytes: Uint8Array }
  /** Answer to an `agree` effect: the raw X25519 outputs, `null` where the port refused a key; same order. */
  | { readonly type: 'agreed'; readonly id: number; readonly secrets: readonly (Uint8Array | null)[] }
  /** Answer to a `work` effect. */
  | { readonly type: 'worked'; readonly id: number; readonly values: Int32Array }
  /** A caller's deadline: it calls the next stage with everybody whose statement (and vector) it has. */
  | { readonly type: 'close'; readonly stage: RosterStage }
  /** The last deadline: a sum that is not there yet fails. */
  | { readonly type: 'expire' }

/** Why a statement or its author was refused; the sum goes on without it. */
export type RefusalReason =
  | 'wrong-session'
  | 'wrong-commitment'
  | 'bad-proof'
  | 'wrong-stage'
  | 'wrong-roster'
  | 'not-a-participant'
  | 'not-a-caller'
  | 'low-order-key'
  | 'equivocation'
  | 'wrong-length'
  | 'wrong-values'
  | 'invalid-share'
  | 'both-shares-asked'
  | 'both-shares-revealed'
  | 'wrong-shares'
  | 'malformed-roster'
  | 'exposing-roster'
  | 'too-many-pending'

/** Why there is no sum. Nothing that was revealed up to then gives a single update away. */
export type FailureReason =
  /** Fewer participants than the terms or the threshold ask for. */
  | 'too-few-participants'
  /** The last deadline passed with fewer shares of some secret than its threshold. */
  | 'too-few-shares'
  /** A dealer's shares are as it committed to them, yet give another secret than the one it announced. */
  | 'inconsistent-dealer'
  /** The last deadline passed before the unmask stage, or without a vector that it names. */
  | 'out-of-time'
  /** The sum is larger than its contributors may make it: somebody put in more than the terms allow. */
  | 'sum-out-of-bounds'
  /** The commitments of its contributors do not open to the sum: one masked another vector than it committed to. */
  | 'sum-not-opened'

/** X25519 with one secret and several public keys. */
export interface AgreeRequest {
  readonly secret: Uint8Array
  readonly publicKeys: readonly Uint8Array[]
}

/** One keystream to add to a vector, or to take from it. */
export interface MaskTerm {
  /** 32 bytes, key of the stream. */
  readonly seed: Uint8Array
  readonly sign: 1 | -1
}

/** Adds vectors and keystreams modulo 2^32: what takes time, to be done by `runSumWork` in whichever worker. */
export interface SumWork {
  readonly length: number
  /** Vectors to add up: one when masking, all survivors' when unmasking. */
  readonly vectors: readonly Int32Array[]
  readonly terms: readonly MaskTerm[]
}

/** What a secure sum asks for. */
export type SecureSumEffect =
  /** Sign this and send it to all participants; then tell it back as `message`. `values` goes with a masked vector: keep it as a block. */
  | { readonly type: 'publish'; readonly content: SecureSumContent; readonly values?: Uint8Array }
  | { readonly type: 'agree'; readonly id: number; readonly request: AgreeRequest }
  | { readonly type: 'work'; readonly id: number; readonly work: SumWork }
  /** Named in a roster and not here yet: ask the caller or the author. `digest` is the payload's SHA-256, or that of the values. */
  | { readonly type: 'want'; readonly what: 'statement' | 'values'; readonly of: PeerId; readonly digest: Uint8Array }
  /** The mask stage is open and the update is not here. */
  | { readonly type: 'want-input' }
  | {
      readonly type: 'refused'
      readonly from: PeerId
      readonly reason: RefusalReason
      readonly detail: string
    }
  /** Signed statements (whole envelopes) that convict their author; anyone can check them. */
  | {
      readonly type: 'evidence'
      readonly against: PeerId
      readonly reason: RefusalReason | FailureReason
      readonly statements: readonly Uint8Array[]
    }
  /** A stage opened: who goes on. */
  | {
      readonly type: 'stage'
      readonly stage: RosterStage
      readonly peers: readonly PeerId[]
      readonly threshold: number
    }
  /**
   * The end: the exact integer sum over `contributors`; `vectors` are the hashes of what they masked and `commitments` what they committed to (none
   * where the terms ask for none), in the same order. `roster` is the hash of the one that named them.
   */
  | {
      readonly type: 'sum'
      readonly values: Int32Array
      readonly contributors: readonly PeerId[]
      readonly vectors: readonly Hash[]
      readonly commitments: readonly Uint8Array[]
      readonly roster: Uint8Array
    }
  | {
      readonly type: 'failed'
      readonly reason: FailureReason
      readonly culprits: readonly PeerId[]
      readonly detail: string
    }
