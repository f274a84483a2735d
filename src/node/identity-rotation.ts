import { LimitExceededError } from '../core/codec/errors.ts'
import { decodeBackup, sealContext } from '../core/identity/backup.ts'
import { decodeCertificate } from '../core/identity/certificate.ts'
import { LINEAGE_SUCCESSIONS_MAX } from '../core/identity/limits.ts'
import { extendLineage } from '../core/identity/lineage.ts'
import { resolveLineage } from '../core/identity/resolve-lineage.ts'
import { signRevocation } from '../core/identity/revocation.ts'
import {
  type RotationEffect,
  type RotationEvent,
  type RotationOutcome,
  type RotationPlan,
  stepRotation,
} from '../core/identity/rotation.ts'
import {
  decodeSuccession,
  linkOf,
  type Succession,
  type SuccessionReason,
  signSuccession,
} from '../core/identity/succession.ts'
import type { IdentityApi } from './identity-contract.ts'
import { RotationFailedError, RotationRefusedError, UnlockNeededError } from './identity-errors.ts'
import { type IdentityKeeper, labelOf } from './identity-keeper.ts'
import { findPasskeySlot, type IdentityUnlockers, openWithPassphrase, wrong } from './identity-unlockers.ts'

type Unlock = Parameters<IdentityApi['rotateIdentity']>[0]['unlock']

/** Performs what the rotation's state machine asks for. Each state is stored before its effect; each effect may be done again. */
export class IdentityRotation {
  readonly #keeper: IdentityKeeper
  readonly #unlockers: IdentityUnlockers

  constructor(keeper: IdentityKeeper, unlockers: IdentityUnlockers) {
    this.#keeper = keeper
    this.#unlockers = unlockers
  }

  /**
   * Replaces the root key.
   *
   * @throws {@link RotationRefusedError} When the identity cannot be rotated as it stands.
   * @throws {@link UnlockNeededError} Of a protected identity without `unlock`; `Wrong…Error` when that does not open it.
   * @throws {@link RotationFailedError} When it was given up; the key in force is as before.
   */
  async rotate(reason: SuccessionReason, unlock: Unlock): Promise<void> {
    if (this.#keeper.record.rotation !== null) {
      // Asked for again after it was interrupted: the same rotation goes on.
      await this.resume()
      return
    }
    const plan = this.#plan(reason)
    await this.#checkUnlock(unlock)
    await this.#run({ type: 'rotate', plan })
    if (unlock !== null && 'key' in unlock) await this.#unlockers.carryOver(unlock)
  }

  /** Goes on with what was interrupted. */
  async resume(): Promise<void> {
    if (this.#keeper.record.rotation !== null) await this.#run({ type: 'resume' })
  }

  /** The lineage changed: a rotation whose old key was replaced by another device has nothing to go on from. */
  async checkOvertaken(): Promise<void> {
    const { rotation } = this.#keeper.record
    const { line, heads } = this.#keeper.resolved()
    if (rotation === null || heads.includes(rotation.old) || !line.includes(rotation.old)) return
    const next = 'next' in rotation ? rotation.next : null
    if (next !== null && line.includes(next)) return
    await this.#step({ type: 'overtaken' })
    this.#report('rotation-failed', 'Another device of the identity rotated first; this rotation was given up')
  }

  #plan(reason: SuccessionReason): RotationPlan {
    const lineage = this.#keeper.resolved()
    const { state, activeKey, pending } = lineage
    const refuse = (why: string): never => {
      throw new RotationRefusedError(`The identity cannot be rotated: ${why}`, {
        field: 'state',
        value: this.#keeper.standing().state,
        state: this.#keeper.standing().state,
      })
    }
    if (state !== 'valid') refuse(`it is ${state}`)
    if (!this.#keeper.held().has(activeKey)) refuse('its key is not on this device')
    // Known and not yet in force: a succession was signed for later, or this device's clock is behind.
    if (pending.some((terms) => terms.old === activeKey))
      refuse('its key is about to be replaced; is the clock behind?')
    const { successions } = this.#keeper.lineage
    if (successions.length >= LINEAGE_SUCCESSIONS_MAX) {
      throw new LimitExceededError(
        `The identity was rotated ${successions.length} times, limit ${LINEAGE_SUCCESSIONS_MAX}`,
        { field: 'successions', value: successions.length, limit: LINEAGE_SUCCESSIONS_MAX },
      )
    }
    const brought = this.#brought(activeKey)
    return {
      root: lineage.root,
      old: activeKey,
      seq: (brought?.statement.seq ?? 0) + 1,
      reason,
      notBeforeMs: Math.max(this.#keeper.ports.now(), brought?.statement.body.notBeforeMs ?? 0),
    }
  }

  #brought(key: string): Succession | null {
    return this.#keeper.lineage.successions.find(({ statement }) => statement.body.new === key) ?? null
  }

  async #checkUnlock(unlock: Unlock): Promise<void> {
    const { record, ports } = this.#keeper
    const { activeKey } = this.#keeper.resolved()
    if (unlock === null) {
      if (this.#keeper.hasCopy(activeKey)) return
      throw new UnlockNeededError('A protected identity is rotated with its backup or its passkey', { field: 'unlock' })
    }
    if ('key' in unlock) {
      const slots = record.unlockers.flatMap(({ slot }) => (slot === null ? [] : [slot]))
      const slot = findPasskeySlot(slots, unlock)
      const context = sealContext(record.root, activeKey, slot)
      if (!(await ports.keys.opens(activeKey, slot, unlock.key, context))) throw wrong('passkey')
      return
    }
    const backup = this.#unlockers.checkOwn(decodeBackup(unlock.file))
    const { slot, opener } = await openWithPassphrase(backup, unlock.passphrase)
    const context = sealContext(backup.root, backup.key, slot)
    if (!(await ports.keys.opens(activeKey, slot, opener, context))) throw wrong('file')
  }

  async #run(first: RotationEvent): Promise<void> {
    let event: RotationEvent | null = first
    while (event !== null) {
      const { outcome, effects } = await this.#step(event)
      if (outcome === 'failed' || outcome === 'abandoned') {
        this.#report('rotation-failed', `The rotation was ${outcome}: a key is gone, or another device was first`)
        throw new RotationFailedError('The rotation was given up; the key in force is as before', { outcome })
      }
      const [effect] = effects
      event = effect === undefined ? null : await this.#perform(effect)
    }
  }

  /** Stores the next state. What must not be told apart from it by a crash is written together with it. */
  async #step(event: RotationEvent): Promise<{ outcome: RotationOutcome; effects: readonly RotationEffect[] }> {
    const before = this.#keeper.record.rotation
    const { state, effects, outcome } = stepRotation(before, event)
    if (state !== before && outcome !== 'switched') await this.#keeper.save({ rotation: state })
    for (const effect of effects) {
      if (effect.type === 'forgetKey') await this.#keeper.ports.keys.forget(effect.key)
    }
    if (outcome === 'abandoned' || outcome === 'failed') await this.#keeper.reloadKeys()
    return { outcome, effects: effects.filter(({ type }) => type !== 'forgetKey') }
  }

  async #perform(effect: RotationEffect): Promise<RotationEvent | null> {
    switch (effect.type) {
      case 'makeKey': {
        const next = await this.#keeper.ports.keys.make(labelOf(effect.plan), effect.plan.root)
        await this.#keeper.reloadKeys()
        return { type: 'keyMade', seq: effect.plan.seq, next }
      }
      case 'signSuccession':
        return await this.#sign(effect.plan, effect.next)
      case 'certify':
        return await this.#certify(effect)
      case 'switch':
        return await this.#switch(effect.rotation)
      case 'forgetKey':
        return null
    }
  }

  async #sign(plan: RotationPlan, next: Extract<RotationEffect, { type: 'signSuccession' }>['next']) {
    const { ports } = this.#keeper
    const held = this.#keeper.held()
    if (!held.has(plan.old)) return { type: 'keyMissing', key: 'old' } as const
    if (!held.has(next)) return { type: 'keyMissing', key: 'next' } as const
    const prevHash = linkOf(plan.root, this.#brought(plan.old))
    const keys = { old: await ports.keys.signer(plan.old), next: await ports.keys.signer(next) }
    const { bytes } = await signSuccession(
      { ...plan, new: next, prevHash },
      { ...keys, timestampMs: ports.now(), nonce: this.#keeper.nonce() },
    )
    return { type: 'successionSigned', seq: plan.seq, succession: bytes } as const
  }

  async #certify({ plan, next }: Extract<RotationEffect, { type: 'certify' }>): Promise<RotationEvent> {
    const { ports } = this.#keeper
    if (!this.#keeper.held().has(next)) return { type: 'keyMissing', key: 'next' }
    const stamp = { timestampMs: ports.now(), nonce: this.#keeper.nonce() }
    const revocation = await signRevocation(plan.root, stamp, await ports.keys.signer(next))
    const certificate = await this.#keeper.certificateFor(ports.device, { key: next, name: this.#keeper.deviceName() })
    return { type: 'certified', seq: plan.seq, revocation: revocation.bytes, certificate: certificate.bytes }
  }

  /** One write: the succession, the new certificate and revocation, and the end of the rotation. */
  async #switch(rotation: Extract<RotationEffect, { type: 'switch' }>['rotation']): Promise<RotationEvent | null> {
    if (!this.#keeper.held().has(rotation.next)) return { type: 'keyMissing', key: 'next' }
    const event = { type: 'switched', seq: rotation.seq } as const
    const { state } = stepRotation(rotation, event)
    const lineage = extendLineage(this.#keeper.lineage, { successions: [decodeSuccession(rotation.succession)] })
    await this.#keeper.save({
      rotation: state,
      lineage,
      certificates: [...this.#keeper.certificates, decodeCertificate(rotation.certificate)],
      revocation: rotation.revocation,
      // They open the key that was replaced. New ones are asked for.
      unlockers: [],
    })
    const conflicted = resolveLineage(lineage, this.#keeper.ports.now()).state === 'conflicted'
    this.#report(
      conflicted ? 'identity-conflicted' : 'key-rotated',
      conflicted ? 'Another device rotated at the same time' : `The root key was replaced (${rotation.reason})`,
      [rotation.succession],
    )
    await this.#keeper.dropStrayKeys()
    return null
  }

  #report(
    type: 'key-rotated' | 'rotation-failed' | 'identity-conflicted',
    message: string,
    evidence: readonly Uint8Array[] = [],
  ): void {
    const { record, ports } = this.#keeper
    ports.onSecurityEvent({ type, rootId: record.root, message, evidence })
  }
}
