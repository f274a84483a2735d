import type { PeerId, RootId } from '../codec/ids.ts'

/** What a device shows of itself: which identity it belongs to and why. A ticket to be let in is shown beside it. */
export interface CredentialParts {
  readonly root: RootId
  readonly device: PeerId
  /** {@link encodeLineage} */
  readonly lineage: Uint8Array
  /** The device's own certificate for this network; see {@link decodeCertificate}. */
  readonly certificate: Uint8Array
}
