import type { PeerInfo } from '../../../node/contract.ts'

/** How bytes reach a peer, in a word and a sentence. */
export const PATH_WORDS: Readonly<Record<PeerInfo['kind'], { readonly word: string; readonly meaning: string }>> = {
  direct: { word: 'Direct', meaning: 'Bytes go straight between the two devices' },
  relayed: { word: 'Relayed', meaning: 'Bytes go through the relay; a direct path is being tried' },
  relay: { word: 'Relay', meaning: 'Introduces peers to each other and serves the page' },
}
