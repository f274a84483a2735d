import * as v from 'valibot'
import { integer, rootId } from '../codec/fields.ts'
import type { RootId } from '../codec/ids.ts'
import type { Signer, Verifier } from '../identity/ports.ts'
import { decodeStatement, signStatement, verifyStatement } from '../identity/statement.ts'
import { BadInvitationError } from './errors.ts'
import { INVITATION_MS_MAX, TICKET_LIMITS } from './limits.ts'
import type { FoundedNetwork } from './policy.ts'

/** The founder's word that an identity may take part in a network of members. Rule [A10]. */
export interface Invitation {
  readonly root: RootId
  readonly expiresAtMs: number
}

const INVITATION_STATEMENT = {
  kind: 'invitation',
  body: v.strictObject({ root: rootId, expiresAtMs: integer(0, Number.MAX_SAFE_INTEGER) }),
  limits: TICKET_LIMITS,
}

/** Signs an invitation, for at most a year. */
export async function signInvitation(
  invitation: Invitation,
  init: { readonly networkId: string; readonly founder: Signer; readonly nowMs: number; readonly nonce: Uint8Array },
): Promise<Uint8Array> {
  const { bytes } = await signStatement(
    {
      network: init.networkId,
      kind: INVITATION_STATEMENT.kind,
      seq: 0,
      timestampMs: init.nowMs,
      nonce: init.nonce,
      body: {
        root: invitation.root,
        expiresAtMs: Math.min(invitation.expiresAtMs, init.nowMs + INVITATION_MS_MAX),
      },
    },
    init.founder,
  )
  return bytes
}

/**
 * Reads an invitation for an identity.
 *
 * @throws {@link BadInvitationError} When it is another's, of another network, not the founder's, or over.
 */
export async function readInvitation(
  statement: Uint8Array,
  of: { readonly network: FoundedNetwork; readonly root: RootId; readonly nowMs: number; readonly verifier: Verifier },
): Promise<Invitation> {
  const decoded = decodeStatement(statement, INVITATION_STATEMENT)
  const { author, network, body } = decoded.statement
  if (network !== of.network.networkId) throw bad('network', network, of.network.networkId)
  if (author !== of.network.founder) throw bad('author', author, of.network.founder)
  if (body.root !== of.root) throw bad('root', body.root, of.root)
  if (body.expiresAtMs <= of.nowMs) throw bad('expiresAtMs', body.expiresAtMs, of.nowMs)
  await verifyStatement(decoded, of.verifier)
  return body
}

function bad(field: string, value: string | number, limit: string | number): BadInvitationError {
  return new BadInvitationError(`Invitation has ${field} ${value}, limit ${limit}`, {
    field: `invitation.${field}`,
    value,
    limit,
  })
}
