import type { PeerId, RootId } from '../codec/ids.ts'
import { decodeCertificate, verifyCertificate } from '../identity/certificate.ts'
import { decodeLineage, mergeLineages, newLineage, type VerifiedLineage, verifyLineage } from '../identity/lineage.ts'
import type { Verifier } from '../identity/ports.ts'
import { resolveLineage } from '../identity/resolve-lineage.ts'
import type { ShownCredentials } from './credentials.ts'
import { NoCertificateError } from './errors.ts'
import { LINEAGES_KNOWN_MAX } from './limits.ts'
import type { FoundedNetwork } from './policy.ts'

export interface KnownIdentitiesInit {
  readonly network: FoundedNetwork
  readonly verifier: Verifier
}

/**
 * Finds the identity that a device belongs to by what it shows, and remembers the lineages it saw: who once showed that a key was
 * rotated or revoked cannot take it back by showing less. Rule [A11].
 */
export class KnownIdentities {
  readonly #init: KnownIdentitiesInit
  /** Those with anything in them, least recently seen first. */
  readonly #lineages = new Map<RootId, VerifiedLineage>()

  constructor(init: KnownIdentitiesInit) {
    this.#init = init
  }

  /**
   * Only the founder's own device needs no certificate.
   *
   * @param device - At the other end of the link; the transport proved its key.
   * @throws {@link NoCertificateError} Without a certificate; else what `verifyLineage` and `verifyCertificate` throw.
   */
  async rootOf(
    device: PeerId,
    { lineage, certificate: shown }: Pick<ShownCredentials, 'lineage' | 'certificate'>,
    nowMs: number,
  ): Promise<RootId> {
    const { network, verifier } = this.#init
    if (shown === null) {
      // The founder's key names the network; it is nobody's first root key but its own.
      if (device === network.founder) return device as string as RootId
      throw new NoCertificateError('The device shows no certificate', { field: 'certificate', value: null })
    }
    const certificate = decodeCertificate(shown)
    const { root } = certificate.statement.body
    const known = await this.#merge(root, lineage)
    const resolved = resolveLineage(known, nowMs)
    await verifyCertificate(certificate, { network: network.networkId, device, lineage: resolved, nowMs, verifier })
    return root
  }

  async #merge(root: RootId, shown: Uint8Array | null): Promise<VerifiedLineage> {
    const known = this.#lineages.get(root) ?? newLineage(root)
    if (shown === null) return known
    const merged = mergeLineages(known, await verifyLineage(decodeLineage(shown), this.#init.verifier))
    const { successions, revocations, deviceRevocations } = merged
    if (successions.length + revocations.length + deviceRevocations.length === 0) return merged
    this.#lineages.delete(root)
    this.#lineages.set(root, merged)
    if (this.#lineages.size > LINEAGES_KNOWN_MAX) {
      const [oldest] = this.#lineages.keys()
      if (oldest !== undefined) this.#lineages.delete(oldest)
    }
    return merged
  }
}
