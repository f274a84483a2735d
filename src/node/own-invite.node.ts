import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { capabilityText, inviteLink, inviteOf, parseCapability } from './capability.ts'

/** Where things of this user are kept unless told otherwise: `STARLING_HOME`, else `~/.starling`. */
export function homeFolder(what: string): string {
  return join(process.env.STARLING_HOME ?? join(homedir(), '.starling'), what)
}

const LOOPBACK = /^(localhost|127\.[\d.]+|\[::1\])$/

/**
 * Where a relay is asked for by its plain address on this machine, its owner's own programs enter with the capability in its folder:
 * whoever may read that file could have the link. If it is the capability of another room, it lets nobody in.
 */
export function withOwnInvite(relay: string): string {
  if (inviteOf(relay) !== null || !LOOPBACK.test(new URL(relay).hostname)) return relay
  try {
    const capability = parseCapability(readFileSync(join(homeFolder('relay'), 'capability'), 'utf8').trim())
    return capability === null ? relay : inviteLink(relay, capabilityText(capability))
  } catch {
    // Somebody else's folder, or none.
    return relay
  }
}
