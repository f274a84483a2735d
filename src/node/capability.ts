import { ed25519 } from '@noble/curves/ed25519.js'
import { base64url } from 'multiformats/bases/base64'
import { CAPABILITY_BYTES } from '../core/admission/limits.ts'
import { peerIdOf } from '../core/identity/peer-id.ts'
import type { Signer } from '../core/identity/ports.ts'

/** In a link's fragment: browsers do not send it to the server. */
const FRAGMENT = /(?:^#|&)invite=([\w-]{1,8000})(?:&|$)/

/** The capability as text, for a link. */
export function capabilityText(capability: Uint8Array): string {
  // Multibase puts a `u` before base64url text; links go without.
  return base64url.encode(capability).slice(1)
}

/** Bytes of an invite's text; `null` when it is none. 32 bytes are a room's capability, more are a signed invitation. */
export function parseInvite(text: string): Uint8Array | null {
  if (!/^[\w-]{1,8000}$/.test(text)) return null
  try {
    return base64url.decode(`u${text}`)
  } catch {
    return null
  }
}

/** A room's capability from its text; `null` when it is none. */
export function parseCapability(text: string): Uint8Array | null {
  const bytes = parseInvite(text)
  return bytes?.length === CAPABILITY_BYTES ? bytes : null
}

/** What a link invites with; `null` for a link that does not. */
export function inviteOf(url: string): string | null {
  return FRAGMENT.exec(URL.canParse(url) ? new URL(url).hash : '')?.[1] ?? null
}

/** A page's address with an invite. */
export function inviteLink(pageUrl: string, invite: string | null): string {
  const url = new URL(pageUrl)
  url.hash = invite === null ? '' : `invite=${invite}`
  return url.href
}

/**
 * Signs with a room's capability. The key is derived in memory each time: it is shared with everybody in the room, and protects
 * nothing but the room's door.
 */
export function capabilitySigner(capability: Uint8Array): Signer {
  return {
    author: peerIdOf(ed25519.getPublicKey(capability)),
    sign: async (bytes) => ed25519.sign(bytes, capability),
  }
}
