import type { PeerId, RootId } from '../codec/ids.ts'
import { decodeCertificate, verifyCertificate } from '../identity/certificate.ts'
import {
  decodeLineage,
  encodeLineage,
  mergeLineages,
  newLineage,
  sameLineage,
  type VerifiedLineage,
  verifyLineage,
} from '../identity/lineage.ts'
import type { Verifier } from '../identity/ports.ts'
import { resolveLineage } from '../identity/resolve-lineage.ts'
import type { ShownCredentials } from './credentials.ts'
import { NoCertificateError } from './errors.ts'
import { LINEAGES_KNOWN_MAX } from './limits.ts'
import type { FoundedNetwork } from './policy.ts'

export interface KnownIdentitiesInit {
  readonly network: FoundedNetwork
  readonly verifier: Verifier
  /** Told of each lineage with anything in it that is new, to keep it; `null` when it gave way to another. */
  readonly onLearned?: (root: RootId, lineage: Uint8Array | null) => void
}

/**
 * Finds the identity that a device belongs to by what it shows, and remembers the lineages it saw: who once showed that a key was
 * rotated or revoked cannot take it back by showing less. Rule [A11].
 */
export class KnownIdentities {
  readonly #init: KnownIdentitiesInit
  /** Those with anything in them, least recently seen first. */
  readonly #lineages = new Map<RootId, VerifiedLineage>()

  /** Kept from before and not looked at yet: it was verified when it was learned, and is again when it is needed. */
  readonly #kept = new Map<RootId, Uint8Array>()

  constructor(init: KnownIdentitiesInit) {
    this.#init = init
  }

  /** Takes back what was kept over a restart. */
  restore(kept: Iterable<readonly [RootId, Uint8Array]>): void {
    for (const [root, lineage] of kept) if (this.#kept.size < LINEAGES_KNOWN_MAX) this.#kept.set(root, lineage)
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
    const known = await this.#known(root)
    if (shown === null) return known
    const merged = mergeLineages(known, await verifyLineage(decodeLineage(shown), this.#init.verifier))
    const { successions, revocations, deviceRevocations } = merged
    if (successions.length + revocations.length + deviceRevocations.length === 0) return merged
    if (!sameLineage(known, merged)) this.#init.onLearned?.(root, encodeLineage(merged))
    this.#remember(root, merged)
    return merged
  }

  async #known(root: RootId): Promise<VerifiedLineage> {
    const known = this.#lineages.get(root)
    if (known !== undefined) return known
    const kept = this.#kept.get(root)
    if (kept === undefined) return newLineage(root)
    this.#kept.delete(root)
    try {
      const lineage = await verifyLineage(decodeLineage(kept), this.#init.verifier)
      this.#remember(root, lineage)
      return lineage
    } catch {
      // Damaged on disk: as if it was never seen.
      return newLineage(root)
    }
  }

  #remember(root: RootId, lineage: VerifiedLineage): void {
    this.#lineages.delete(root)
    this.#lineages.set(root, lineage)
    if (this.#lineages.size + this.#kept.size <= LINEAGES_KNOWN_MAX) return
    const [oldest] = this.#kept.size > 0 ? this.#kept.keys() : this.#lineages.keys()
    if (oldest === undefined) return
    this.#kept.delete(oldest)
    this.#lineages.delete(oldest)
    this.#init.onLearned?.(oldest, null)
  }
}
