import * as v from 'valibot'
import { TICKET_LIMITS } from '../core/admission/limits.ts'
import type { HeldTicket } from '../core/admission/own-ticket.ts'
import { decodeTicket, encodeTicket } from '../core/admission/ticket.ts'
import { decode, encode } from '../core/codec/cbor.ts'
import { bytes, rootId } from '../core/codec/fields.ts'
import type { Store } from '../storage/store.ts'

const BUCKET = 'admission'

const heldSchema = v.strictObject({
  root: rootId,
  ticket: bytes(1, TICKET_LIMITS.bytesMax),
  beacon: v.nullable(bytes(1, TICKET_LIMITS.bytesMax)),
})
const HELD_LIMITS = { ...TICKET_LIMITS, bytesMax: 3 * TICKET_LIMITS.bytesMax }

export interface KeptAdmission {
  readonly held: HeldTicket | null
  readonly invite: Uint8Array | null
  readonly mine: boolean | null
}

/** What a peer keeps of its admission to one network. What is damaged counts as absent: it can be made again. */
export class AdmissionRecords {
  readonly #store: Store
  readonly #networkId: string

  constructor(store: Store, networkId: string) {
    this.#store = store
    this.#networkId = networkId
  }

  async read(): Promise<KeptAdmission> {
    const [held, invite, mine] = await this.#store.getMany(
      BUCKET,
      ['ticket', 'invite', 'mine'].map((what) => this.#key(what)),
    )
    return {
      held: held === undefined ? null : heldOf(held),
      invite: invite ?? null,
      mine: mine === undefined ? null : mine[0] === 1,
    }
  }

  async saveHeld({ root, ticket, beacon }: HeldTicket): Promise<void> {
    await this.#write('ticket', encode({ root, ticket: encodeTicket(ticket), beacon }))
  }

  async saveInvite(invite: Uint8Array): Promise<void> {
    await this.#write('invite', invite)
  }

  async saveMine(mine: boolean): Promise<void> {
    await this.#write('mine', Uint8Array.of(mine ? 1 : 0))
  }

  #key(what: string): string {
    return `${what}/${this.#networkId}`
  }

  async #write(what: string, value: Uint8Array): Promise<void> {
    await this.#store.write([{ bucket: BUCKET, key: this.#key(what), value }])
  }
}

function heldOf(record: Uint8Array): HeldTicket | null {
  try {
    const { root, ticket, beacon } = decode(record, { what: 'heldTicket', limits: HELD_LIMITS, schema: heldSchema })
    return { root, ticket: decodeTicket(ticket), beacon }
  } catch {
    return null
  }
}
